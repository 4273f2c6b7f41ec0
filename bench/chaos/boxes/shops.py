"""Three shops of the sandbox, each with another kind of warehouse, connected to an installation and live."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select, update

from bench.chaos.boxes.counting import Sold
from bench.chaos.boxes.worker import KILLS, WRONG_FILE
from bench.chaos.installation import Installation
from bench.chaos.proxy import Proxy
from bench.chaos.supervisor import SupervisedProcess
from bench.chaos.waiting import wait_until
from bench.warehouse_configs import ADAPTERS, CHANNELS, build_config
from pipeline.context import Context, build_context, now_us
from pipeline.core.fulfilment import State
from pipeline.cratejoy.credentials import Credentials
from pipeline.fulfilment.set_up import build_report, connect_warehouse, go_live
from pipeline.hook_registration.urls import build_hook_urls
from pipeline.infra.crypto.encryption import encrypt
from pipeline.infra.http.basic_auth import build_basic_auth
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema.fulfilment import FulfilmentOrder, Warehouse
from pipeline.ledger.store_apis import build_api_identity, save_store_api
from pipeline.ledger.stores import save_store
from pipeline.settings import Settings
from receiver.supervisor.procfile import PROCFILE, build_shell_command

PACKERS = ("boxes1", "boxes2")  # two processes of the fulfilment, which may meet at one box
WORKER = "python -m bench.chaos.boxes.worker"
HINTS = ("shipment_cancelled", "shipment_shipped", "order_updated", "subscription_cancelled")
SETTINGS = {"earliest_order_at": "2026-01-01", "cooling_off_signup_s": "0", "cooling_off_renewal_s": "0"}
GIFT = {"name": "Ada Quill", "email": "ada.quill@example.net", "message": "For the long evenings"}
SECRET = "sandbox-secret"  # noqa: S105 invented
STORE_BEHIND_S, DUE_SINCE_S = 3_600, 86_400
CALL_TIMEOUT_S = 60
WAITED_US = 360_000_000  # longer than the pause between two look-ups, and than the first two pauses after a failure
# Boxes that wait, with no call under way.
WAITING = (State.READY, State.UNKNOWN, State.SHIPPED, State.CANCEL_REQUESTED)


@dataclass(frozen=True)
class Shop:
    """A store of the sandbox, its row in the ledger, and the kind of its warehouse."""

    adapter: str
    url: str
    store_id: int

    def sell(self, count: int, **sale: Any) -> list[int]:
        """Sell so many boxes that were due yesterday; returns their shipments."""
        given = {"billing": "adhoc", "target": _format(time.time() - DUE_SINCE_S), **sale, "count": count}
        sold = call(f"{self.url}/_sandbox/sales", given)["sales"]
        return [one["shipment_ids"][0] for one in sold]

    def fault(self, **fault: Any) -> None:
        """A fault of the store's API, once unless `times` says otherwise."""
        call(f"{self.url}/_sandbox/faults", {"prefix": "/v1", "times": 1, **fault})

    def cancel(self, shipments: Iterable[int]) -> None:
        """The merchant cancels these boxes."""
        for number in shipments:
            call(f"{self.url}/_sandbox/shipments/{number}/cancel", {})

    def shipments(self) -> list[Mapping[str, Any]]:
        """Every box with what the store knows of it."""
        found: list[Mapping[str, Any]] = call(f"{self.url}/_sandbox/shipments")["shipments"]
        return found


@dataclass
class Shops:
    """The shops of an installation with their warehouse, which stands behind a proxy."""

    here: Installation
    url: str
    proxy: Proxy
    all: list[Shop]

    def control(self, path: str, body: Any = None) -> Any:
        """A control call of the warehouse, past the proxy."""
        return call(f"{self.url}/_control/{path}", body)

    def fault(self, **fault: Any) -> None:
        """A fault of the warehouse's interfaces."""
        self.control("faults", fault)

    def pick(self, shop: Shop, shipments: Iterable[int]) -> None:
        """The warehouse begins with these boxes."""
        for number in shipments:
            self.control("pick", {"order_number": f"SUB-{number}", "channel": CHANNELS[shop.adapter]})

    def orders(self, shop: Shop) -> list[Mapping[str, Any]]:
        """The orders that this shop's warehouse has, cancelled ones too."""
        found: list[Mapping[str, Any]] = self.control(f"state?channel={CHANNELS[shop.adapter]}")["orders"]
        return found

    def count_faults(self) -> int:
        """How often the faults of both sides are still to strike."""
        return sum(fault["times"] for url in self._list_fault_urls() for fault in call(url)["faults"])

    def mend(self) -> None:
        """End every fault of both sides."""
        self.proxy.be("pass")
        for url in self._list_fault_urls():
            call(url, method="DELETE")

    def _list_fault_urls(self) -> list[str]:
        return [f"{self.url}/_control/faults", *(f"{shop.url}/_sandbox/faults" for shop in self.all)]

    def states(self, shop: Shop, sold: Sold) -> dict[int, str]:
        """Shipment -> the state of its box in the ledger."""
        columns = FulfilmentOrder.shipment_id, FulfilmentOrder.state
        wanted = FulfilmentOrder.store_id == shop.store_id, FulfilmentOrder.shipment_id.in_(sold.everything)
        with reading(self.here.engine) as conn:
            return {row.shipment_id: row.state for row in conn.execute(select(*columns).where(*wanted))}

    def hurry(self) -> None:
        """Let six minutes pass at once for what waits: retries come after minutes, a second look-up after five.

        A box with a call under way is left alone. One that became `unknown` has none: its call has ended, or its worker
        was killed so long ago that the warehouse has done what it was asked.
        """
        now = now_us()
        waits = FulfilmentOrder.state.in_(WAITING)
        earlier = {"next_attempt_at": 0, "missed_at": FulfilmentOrder.missed_at - WAITED_US}
        with writing(self.here.engine) as conn:
            conn.execute(update(FulfilmentOrder).where(waits).values(earlier))
            conn.execute(update(FulfilmentOrder).where(FulfilmentOrder.acknowledge_at > now).values(acknowledge_at=now))
            conn.execute(update(Warehouse).values(wait_until=0))


def open_shops(here: Installation, wrong: str = "") -> Shops:
    """Start the sandboxes and two workers of the fulfilment, connect the shops and go live, with nothing sold yet.

    `wrong`: the name of a wrong release that the workers are to be.
    """
    (here.data_dir / KILLS).mkdir(exist_ok=True)
    if wrong:
        (here.data_dir / WRONG_FILE).write_text(wrong)
    url = _start_sandbox(here, "warehouse", "sandbox.warehouse")
    proxy = Proxy(urlsplit(url).port or 0)
    here.proxies.append(proxy)
    context = build_context(Settings.from_environment(here.keeper.environment), here.engine, here.redis)
    shops = Shops(here, url, proxy, [])
    begins = _format(time.time() - STORE_BEHIND_S)
    for adapter in ADAPTERS:
        keys = ("--client-id", f"client-{adapter}", "--client-secret", SECRET)
        store = _start_sandbox(here, f"store-{adapter}", "sandbox.store", "--start", begins, *keys)
        shops.all.append(_connect(here, context, adapter, store, f"http://127.0.0.1:{proxy.port}"))
    for name in PACKERS:
        line = PROCFILE["backfill"].replace("celery", WORKER, 1).replace("backfill@%h", f"{name}@%h")
        here.keeper.keep(SupervisedProcess(name, build_shell_command(line)))
    for shop in shops.all:
        _go_live(context, shop)
    return shops


def call(url: str, body: Any = None, *, method: str | None = None, headers: Mapping[str, str] | None = None) -> Any:
    """A control call: a GET, or a POST if there is a body. Raises RuntimeError if it fails."""
    place = urlsplit(url)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=CALL_TIMEOUT_S)
    try:
        path = f"{place.path}?{place.query}" if place.query else place.path
        sent = None if body is None else json.dumps(body)
        connection.request(method or ("GET" if body is None else "POST"), path, sent, dict(headers or {}))
        response = connection.getresponse()
        text = response.read()
        if response.status not in range(200, 300):
            raise RuntimeError(f"{place.path} answered {response.status}: {text[:200]!r}")
        return json.loads(text) if text.strip() else None
    finally:
        connection.close()


def _start_sandbox(here: Installation, name: str, module: str, *arguments: str) -> str:
    here.keeper.keep(SupervisedProcess(name, [sys.executable, "-m", module, *arguments]))
    log = here.keeper.log(name)
    wait_until(lambda: "\n" in log.read_text(), f"the sandbox {name} listens")
    url: str = json.loads(log.read_text().splitlines()[0])["url"]
    return url


def _connect(here: Installation, context: Context, adapter: str, store: str, warehouse: str) -> Shop:
    """Save the shop with its keys and warehouse, and have its hooks sent to us."""
    name, keys = f"boxes-{adapter.replace('_', '-')}", (f"client-{adapter}", SECRET)
    with writing(here.engine) as conn:
        row = save_store(conn, name, now_us())
        sealed = encrypt(
            context.settings.secret_keys, Credentials(*keys, f"{store}/v1/").as_config(), build_api_identity(row.id)
        )
        save_store_api(conn, row.id, sealed, now_us())
    urls = build_hook_urls(context.settings.secret_keys, f"http://127.0.0.1:{here.port}", name, row.token_version)
    for event in HINTS:
        hook = {"name": event, "event": event, "request_type": "POST", "target": urls[event]}
        call(f"{store}/v1/hooks/", hook, headers={"Authorization": build_basic_auth(*keys)})
    call(f"{store}/_sandbox/switches", {"mails_again": True})  # so that a second writing is seen
    connect_warehouse(context, row.id, adapter, build_config(adapter, warehouse), SETTINGS)
    return Shop(adapter, store, row.id)


def _go_live(context: Context, shop: Shop) -> None:
    def is_read() -> bool:
        with reading(context.engine) as conn:
            return build_report(conn, shop.store_id).is_whole

    wait_until(is_read, f"the dry run of {shop.adapter} has ended")
    go_live(context, shop.store_id, 0)


def _format(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
