"""One store's fulfilment, opened: its shop, its warehouse and its settings, as every step is handed them."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Engine

from pipeline.context import Context
from pipeline.core.errors import Misconfigured
from pipeline.core.fulfilment import Order, WarehouseCall
from pipeline.cratejoy.factory import open_store_client
from pipeline.cratejoy.shipments import ShipmentAPI
from pipeline.fulfilment.rules.decision.words import Policy
from pipeline.fulfilment.sealed_order import open_order, seal_order
from pipeline.fulfilment.settings import FulfilmentSettings
from pipeline.fulfilment.stored_settings import load_settings, make_safe
from pipeline.infra import metrics, redis_keys
from pipeline.infra.crypto.encryption import decrypt
from pipeline.infra.form_config import read_rate
from pipeline.infra.rate_limit.budget import Budget
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.orders import OrderRow
from pipeline.ledger.fulfilment.warehouses import WarehouseRow, find_warehouse
from pipeline.ledger.stores import get_store
from pipeline.warehouses import WAREHOUSES
from pipeline.warehouses.base import Tools, Warehouse
from pipeline.warehouses.shared_values import RedisValues

log = structlog.get_logger(__name__)

OpenWarehouse = Callable[[Context, WarehouseRow, Mapping[str, str], "CallLog"], Warehouse]
MAX_TURN_WAIT_S = 2.0  # for one call: the slowest warehouse takes one in 0.6 s, and three lanes may wait for it
NO_WAREHOUSE = "the store has no warehouse: `cratewire fulfilment connect`"
MAX_NOTED_CALLS = 5  # of one step, in the event that it writes


class CallLog:
    """The warehouse calls of one step, without anything personal: the event of the step names them.

    Each thread has calls of its own: boxes that are sent side by side share the warehouse.
    """

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def record(self, call: WarehouseCall) -> None:
        """Take a call, and count it."""
        self._get().append(call)
        metrics.WAREHOUSE_CALLS.labels(str(call.status or "none")).inc()

    def take(self) -> dict[str, Any]:
        """The calls since the last time, for an event."""
        calls, self._of_thread.calls = self._get()[-MAX_NOTED_CALLS:], []
        shown = [
            {
                "call": f"{call.method} {call.path}",
                "status": call.status,
                **({"support_id": call.support_id} if call.support_id else {}),
                **({"error": call.error} if call.error else {}),
            }
            for call in calls
        ]
        return {"calls": shown} if shown else {}

    def _get(self) -> list[WarehouseCall]:
        calls: list[WarehouseCall] | None = getattr(self._of_thread, "calls", None)
        if calls is None:
            calls = self._of_thread.calls = []
        return calls


@dataclass(frozen=True, slots=True)
class Site:
    """What the steps of one store work with."""

    context: Context
    row: WarehouseRow
    settings: FulfilmentSettings
    currency: str
    shipments: ShipmentAPI
    warehouse: Warehouse
    calls: CallLog = field(default_factory=CallLog)

    @property
    def store_id(self) -> int:
        return self.row.store_id

    @property
    def engine(self) -> Engine:
        return self.context.engine

    def now(self) -> int:
        """The time in µs."""
        return self.context.now()

    @property
    def country_format(self) -> Any:
        """How the warehouse is given countries."""
        chosen = self.settings.country_format
        return self.warehouse.country_format if chosen == "adapter_default" else chosen

    @property
    def policy(self) -> Policy:
        """What the settings and the warehouse allow.

        After trouble a look-up comes first: while the warehouse still has trouble, it leaves no box in doubt.
        """
        can, settings = self.warehouse.capabilities, self.settings
        return Policy(
            can_cancel=settings.send_cancel and can.cancels,
            can_look_up=can.finds,
            looks_up_first=settings.lookup_before_create,
            repeats_safely=can.repeats_safely,
            refuses_duplicates=can.refuses_duplicates and not self.row.trouble,
            confirms_first_package=settings.partial_policy == "first_package",
            cancels_if_externally_shipped=settings.cancel_if_externally_shipped,
            updates_tracking=settings.update_tracking_after_confirm,
        )

    def seal(self, row: OrderRow, order: Order) -> bytes | None:
        """The order for the row's `payload`; None for a person who was erased."""
        return None if row.is_erased else seal_order(self.context.settings.secret_keys, row.identity, order)

    def open(self, row: OrderRow) -> Order | None:
        """The order as it was built last; None if it is not kept any more."""
        if row.payload is None:
            return None
        return open_order(self.context.settings.secret_keys, row.identity, row.payload)


def open_adapter(context: Context, row: WarehouseRow, config: Mapping[str, str], calls: CallLog) -> Warehouse:
    """The warehouse with these keys, within the budget that all processes share for it."""
    kind = WAREHOUSES.get(row.adapter)
    rate = read_rate(config, kind.calls_per_second) if kind else 1.0
    budget = Budget(context.redis, redis_keys.budget(row.adapter, _name_account(row, config)), rate, context.now)
    return build_adapter(context, row.adapter, config, calls, partial(take_turn, budget))


def _name_account(row: WarehouseRow, config: Mapping[str, str]) -> str:
    """What the warehouse counts calls by, hashed: two stores with one account share its budget."""
    kind = WAREHOUSES.get(row.adapter)
    fields = [one for one in kind.fields if one.key in kind.account_fields] if kind else []
    if not fields:
        return str(row.store_id)
    account = "\n".join(config.get(one.key) or one.default or "" for one in fields)
    return hashlib.sha256(account.encode()).hexdigest()[:16]


def build_adapter(
    context: Context,
    adapter: str,
    config: Mapping[str, str],
    calls: CallLog | None = None,
    turn: Callable[[], float] = lambda: 0.0,
) -> Warehouse:
    """A warehouse, saved or not. Raises Misconfigured for an unknown adapter, and for fields that are wrong."""
    kind = WAREHOUSES.get(adapter)
    if kind is None:
        raise Misconfigured(f"there is no warehouse {adapter!r}; there are {', '.join(sorted(WAREHOUSES))}")
    tools = Tools(
        http=context.http,
        values=RedisValues(context.redis, context.settings.secret_keys, context.make_nonce),
        now=context.now,
        take_turn=turn,
        record=(calls or CallLog()).record,
    )
    return kind(config, tools)


def open_site(context: Context, store_id: int, *, open_warehouse: OpenWarehouse = open_adapter) -> Site | None:
    """The store's fulfilment; None if the store has no warehouse, or is being removed.

    Raises Misconfigured if its keys cannot be used.
    """
    with reading(context.engine) as conn:
        row, store = find_warehouse(conn, store_id), get_store(conn, store_id)
    if row is None or store is None or store.removed_at is not None:
        return None
    config = decrypt(context.settings.secret_keys, row.config, row.identity)
    calls = CallLog()
    warehouse = open_warehouse(context, row, config, calls)
    return Site(
        context=context,
        row=row,
        settings=make_safe(load_settings(row.settings), warehouse),
        currency=store.currency,
        shipments=ShipmentAPI(open_store_client(context, store_id)),
        warehouse=warehouse,
        calls=calls,
    )


def require_site(context: Context, store_id: int, *, open_warehouse: OpenWarehouse = open_adapter) -> Site:
    """The store's fulfilment. Raises Misconfigured if it has none, or if its keys cannot be used."""
    site = open_site(context, store_id, open_warehouse=open_warehouse)
    if site is None:
        raise Misconfigured(NO_WAREHOUSE)
    return site


def take_turn(budget: Budget, sleep: Callable[[float], None] = time.sleep) -> float:
    """Take a call of the budget, and wait for it if it is soon free: a step makes several calls, one after the other.

    Returns 0.0, or the seconds after which to ask again.
    """
    waited_s = 0.0
    while (wait_s := budget.acquire()) > 0 and waited_s + wait_s <= MAX_TURN_WAIT_S:
        sleep(wait_s)
        waited_s += wait_s
    return wait_s


def as_detail(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """The detail of an event, None if there is none; only what JSON can hold."""
    found = {key: value for key, value in fields.items() if value not in (None, (), [], {}, "")}
    return json.loads(json.dumps(found)) if found else None
