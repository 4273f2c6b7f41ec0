"""What a warehouse must offer its contract suite, and the sandbox as the warehouse of each adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.core.fulfilment import Order, WarehouseCall
from pipeline.infra.http.client import HTTPClient
from pipeline.warehouses import WAREHOUSES
from pipeline.warehouses.base import Tools, Warehouse
from sandbox.warehouse.faults import Fault
from sandbox.warehouse.floor import Parcel
from sandbox.warehouse.orders import Order as SandboxOrder
from sandbox.warehouse.server import RunningWarehouse
from sandbox.warehouse.switches import apply_switches
from sandbox.warehouse.world import Keys
from tests.pipeline.warehouses.kit import ORDER, ProcessValues, order_numbered

KEYS = Keys()


@dataclass(frozen=True)
class Protocol:
    """How one adapter meets the sandbox: its channel there, where it is, its keys, and the paths of its calls."""

    channel: str
    config: Mapping[str, str]
    address: tuple[str, str]  # the field, and the path of the base URL
    wrong_keys: Mapping[str, str]
    create: str  # what a fault matches
    find: str
    cancel: str
    rate_limit: Mapping[str, Any]
    unknown_sku: str = "Invalid"  # or "open", where the warehouse finds it out later


PROTOCOLS: dict[str, Protocol] = {
    "cartrover": Protocol(
        "cartrover",
        {"api_user": KEYS.api_user, "api_key": KEYS.api_key},
        ("base_url", "/cartrover/v1"),
        {"api_key": "wrong"},
        "POST /cartrover/v1/cart/orders/cartrover",
        "GET /cartrover/v1/cart/orders/",
        "GET /cartrover/v1/cart/orders/wms_cancel/",
        {"rate_limited": True},
        "open",
    ),
    "extensiv_3pl": Protocol(
        "3pl",
        {
            "client_id": KEYS.client_id,
            "client_secret": KEYS.client_secret,
            "user_login": KEYS.user_login,
            "customer_id": "7",
            "facility": "1",
        },
        ("base_url", "/3pl"),
        {"client_secret": "wrong"},
        "POST /3pl/orders",
        "GET /3pl/orders",
        "POST /3pl/orders/*/canceler",
        {"status": 429, "retry_after": 3},
    ),
    "signed_webhook": Protocol(
        "generic",
        {"secret": KEYS.webhook_secret, "inbound_secret": KEYS.webhook_secret},
        ("url", "/generic"),
        {"secret": "whsec_d3JvbmctZW11bGF0b3Itc2VjcmV0LTAwMDAwMDA="},
        "POST /generic",
        "GET /generic/orders/",
        "POST /generic",
        {"status": 429, "retry_after": 3},
    ),
}


class Kit:
    """One adapter and its warehouse."""

    def __init__(self, adapter: str, running: RunningWarehouse) -> None:
        self.adapter = adapter
        self.protocol = PROTOCOLS[adapter]
        self.running = running
        self.world = running.world
        self.calls: list[WarehouseCall] = []
        self.values = ProcessValues()
        self.now_us = lambda: round(self.world.now * 1_000_000)
        self._http = HTTPClient(timeout=(1.0, 5.0))

    def warehouse(self, **changed: str) -> Warehouse:
        field, path = self.protocol.address
        config = {**self.protocol.config, field: self.running.url + path, **changed}
        return WAREHOUSES[self.adapter](config, Tools(self._http, self.values, self.now_us, record=self.calls.append))

    def order(self, number: str = ORDER.order_number, **changed: Any) -> Order:
        """An order as this warehouse wants it; the fingerprint goes with the lines."""
        country = "USA" if WAREHOUSES[self.adapter].country_format == "alpha3" else "US"
        order = order_numbered(number, ship_to=replace(ORDER.ship_to, country=country), **changed)
        return replace(order, fingerprint=f"print of {order.lines}")

    def fault(self, match: str, **fault: Any) -> None:
        with self.world.lock:
            self.world.faults.add(Fault.of({"match": match, **fault}))

    def switch(self, **switches: Any) -> None:
        with self.world.lock:
            self.world.switches = apply_switches(self.world.switches, switches)

    def ship(self, number: str, tracking: Sequence[str] = (), *, complete: bool = True) -> None:
        parcels = [Parcel(one, lines=(("BOX-2602", 1),)) for one in tracking]
        with self.world.lock:
            self.world.floor.ship(self._select(number), parcels, complete=complete)

    def cancel_at_warehouse(self, number: str) -> None:
        with self.world.lock:
            self.world.floor.cancel_by_operator(self._select(number))

    def orders(self) -> list[SandboxOrder]:
        """Every order that the warehouse has."""
        with self.world.lock:
            return list(self.world.floor.orders.values())

    def _select(self, number: str) -> SandboxOrder:
        return self.world.floor.select(number, self.protocol.channel)
