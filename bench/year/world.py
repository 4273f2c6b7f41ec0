"""A store, its warehouse, and the fulfilment between them: everything in this process, on one clock."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import fakeredis
from flask import Flask
from sqlalchemy import Engine

from bench.warehouse_configs import ADAPTERS, KEYS, build_config
from bench.year.wire import App, Killed, Wire
from pipeline.context import Context
from pipeline.cratejoy.credentials import Credentials
from pipeline.fulfilment.requests import Requests
from pipeline.fulfilment.run import LaneRun, look_at_hinted, run_lane
from pipeline.fulfilment.schedule import USUAL, Lane, list_due_lanes
from pipeline.fulfilment.set_up import build_report, connect_warehouse, go_live
from pipeline.fulfilment.set_up import resume as resume_warehouse
from pipeline.fulfilment.site import CallLog
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.warehouses import WarehouseRow, get_warehouse
from pipeline.ledger.store_apis import build_api_identity, save_store_api
from pipeline.ledger.stores import save_store
from pipeline.settings import Settings
from pipeline.warehouses import WAREHOUSES
from pipeline.warehouses.base import Tools, Warehouse
from pipeline.warehouses.shared_values import RedisValues
from receiver import warehouse_messages
from sandbox.store import dates
from sandbox.store.app import create_app as create_store
from sandbox.store.webhooks.shop_event import ShopEvent
from sandbox.store.world import Clocks, Options
from sandbox.store.world import World as Store
from sandbox.warehouse.app import create_app as create_warehouse
from sandbox.warehouse.outbox import Listener
from sandbox.warehouse.posting import flush
from sandbox.warehouse.world import World as Floor

T = TypeVar("T")
SECOND_US = 1_000_000
STORE = "year"
MINUTE, HOUR, DAY = 60, 3_600, 86_400
STORE_HOST, WAREHOUSE_HOST, OUR_HOST = "127.0.0.1:1001", "127.0.0.1:1002", "127.0.0.1:1003"
SHOP, FLOOR = f"http://{STORE_HOST}/_sandbox", f"http://{WAREHOUSE_HOST}/_control"
START = int(datetime(2026, 1, 5, 8, tzinfo=UTC).timestamp())
AMPLE_PER_S = 1_000_000.0
MAX_ROUNDS = 200  # of the lanes at one moment: one that is always due again would never end
PUSHED = "webhook_pushed"  # the signed web hook that is never polled: the warehouse sends its messages
SPREADSHEET = "spreadsheet"
YEARS = (*ADAPTERS, PUSHED, SPREADSHEET)
NEVER_US = 10 * 366 * DAY * SECOND_US
SETTINGS = replace(
    Settings.from_environment(
        {
            "CRATEWIRE_SECRET_KEY": "only-for-simulations",
            "CRATEWIRE_METRICS_TOKEN": "only-for-simulations",
            "CRATEWIRE_FLOWER_PASSWORD": "only-for-simulations",
            "CRATEWIRE_CONNECT_ANYWHERE": "true",  # the sandbox is on loopback
            "REDIS_URL": "redis://127.0.0.1:1",
        },
        data_dir=Path("/nonexistent"),
    ),
    cratejoy_rate=AMPLE_PER_S,
    fulfilment_at_once=1,  # in the order that the seed says
)
_HINTED = {"shipment": "shipment", "order": "order", "subscription": "subscription"}


class NeverEnds(AssertionError):
    """A lane was due again and again at one moment."""


@dataclass
class Hooks:
    """What the store's hooks would hint at, until it is delivered or lost."""

    hints: list[tuple[str, int]] = field(default_factory=list)

    def report(self, news: ShopEvent) -> None:
        """Take an event of the shop."""
        kind = _HINTED.get(news.subject)
        if kind and news.subject_id is not None:
            self.hints.append((kind, news.subject_id))


@dataclass
class Year:
    """One store with one warehouse. Times are seconds, except where the ledger's are µs."""

    adapter: str
    engine: Engine
    store: Store
    floor: Floor
    wire: Wire
    context: Context
    clock: list[float]
    hooks: Hooks
    store_id: int = 0
    is_pushed: bool = False
    lost_pushes: list[str] = field(default_factory=list)  # of the next messages: "before" or "after" they are taken in
    kills: int = 0
    rate_limits: int = 0  # how many of the next calls find the warehouse's budget used up

    @property
    def exchanges_files(self) -> bool:
        return self.adapter == SPREADSHEET

    @property
    def is_asked(self) -> bool:
        """Whether the warehouse is asked for tracking."""
        return not self.is_pushed and not self.exchanges_files

    @property
    def now(self) -> float:
        return self.clock[0]

    def iso(self, seconds: float = 0) -> str:
        """A time so many seconds from now."""
        return dates.iso(int(self.now + seconds))

    # The two sides

    def sell(self, sale: Mapping[str, Any]) -> dict[str, Any]:
        """A sale at the store."""
        sold: dict[str, Any] = self.wire.control("POST", f"{SHOP}/sales", dict(sale))
        return sold

    def merchant(self, kind: str, number: int, act: str, **given: Any) -> None:
        """What a merchant does in the dashboard."""
        self.wire.control("POST", f"{SHOP}/{kind}/{number}/{act}", given)

    def packer(self, act: str, **given: Any) -> None:
        """What is done at the warehouse."""
        self.wire.control("POST", f"{FLOOR}/{act}", given)

    def find_trouble(self) -> tuple[bool, object]:
        """Whether anything stands between the two sides and us; and what would only strike with some next call."""
        with reading(self.engine) as conn:
            is_active = get_warehouse(conn, self.store_id).is_active
        faults = [*self.store.faults.listed(), *self.floor.faults.listed()]
        is_lasting = bool(self.wire.away) or not is_active or any(fault["times"] is None for fault in faults)
        is_lasting |= any(notice.state == "waiting" for notice in self.floor.outbox.notices)
        return is_lasting, (faults, self.kills, self.rate_limits, self.lost_pushes[:])

    # Time

    def skip(self, seconds: float) -> None:
        """Let time pass while no worker works."""
        self.clock[0] += seconds
        self.store.state.now = max(self.store.state.now, int(self.now))
        self.floor.tick()
        self.context.redis.flushall()  # leases and pauses expire

    def settle(self) -> None:
        """Work on every lane that is due, until none is or each has to wait."""
        waiting: set[Lane] = set()
        every = replace(USUAL, tracking_us=NEVER_US) if self.is_pushed else USUAL
        for _ in range(MAX_ROUNDS):
            flush(self.floor)
            with reading(self.engine) as conn:
                row = get_warehouse(conn, self.store_id)
                due = [lane for lane in list_due_lanes(conn, row, self.context.now(), every) if lane not in waiting]
            if not due:
                return
            for lane in due:
                result = self.run(lane)
                if result is None or result.error or result.resume_in_s:
                    waiting.add(lane)
        raise NeverEnds(f"{', '.join(due)} due without end")

    def run(self, lane: Lane) -> LaneRun | None:
        """Work on one lane; None if its worker was killed."""
        return self.survive(lambda: run_lane(self.context, self.store_id, lane, open_warehouse=self._open))

    def deliver_hooks(self) -> None:
        """The store's hooks arrive."""
        hints, self.hooks.hints = list(dict.fromkeys(self.hooks.hints)), []
        if hints:
            store_id, since = self.store_id, self.context.now()
            self.survive(lambda: look_at_hinted(self.context, store_id, hints, since, open_warehouse=self._open))

    def lose_hooks(self) -> None:
        """The store's hooks are lost."""
        self.hooks.hints.clear()

    def requests(self) -> Requests:
        """What a person may ask for."""
        return Requests(self.context, self.store_id, open_warehouse=self._open)

    def resume(self) -> bool:
        """A person has looked at a paused warehouse; returns whether it was paused."""
        return resume_warehouse(self.context, self.store_id)

    def go_live(self) -> None:
        """Run the dry run to its end, and accept it."""
        self.settle()
        with reading(self.engine) as conn:
            accepted = build_report(conn, self.store_id).would_go
        go_live(self.context, self.store_id, accepted)

    def take_push(self, url: str, headers: Mapping[str, str], body: bytes) -> int | None:
        """A message of the warehouse arrives at the address that takes them; None: it has no answer."""
        lost = self.lost_pushes.pop(0) if self.lost_pushes else ""
        status = None if lost == "before" else self.wire.post(url, headers, body)
        return None if lost else status

    def survive(self, work: Callable[[], T]) -> T | None:
        """Do what may kill a worker; returns None if it did."""
        try:
            return work()
        except Killed:
            self.kills += 1
            self.context.redis.flushall()  # its lease expires
            return None

    def _take_turn(self) -> float:
        if self.rate_limits == 0:
            return 0.0
        self.rate_limits -= 1
        return 1.0

    def _open(self, context: Context, row: WarehouseRow, config: Mapping[str, str], calls: CallLog) -> Warehouse:
        """The warehouse as `open_adapter` opens it, without a budget: its clock would be that of this machine."""
        values = RedisValues(context.redis, context.settings.secret_keys, context.make_nonce)
        tools = Tools(context.http, values, context.now, self._take_turn, calls.record)
        return WAREHOUSES[row.adapter](config, tools)


@contextmanager
def open_year(engine: Engine, adapter: str, seed: int = 1, **settings: str) -> Iterator[Year]:
    """A store that is connected and live, with nothing sold yet. `engine`: of an empty ledger."""
    clock, hooks = [float(START)], Hooks()
    store = Store(Options("id", "secret", seed, dates.iso(START)), Clocks(lambda: clock[0], lambda: clock[0]))
    store.shop = replace(store.shop, listener=hooks)
    floor = Floor(KEYS, lambda: clock[0], lambda *_: None)
    apps: dict[str, App] = {STORE_HOST: create_store(store), WAREHOUSE_HOST: create_warehouse(floor, lambda _: None)}
    wire = Wire(apps)
    redis = fakeredis.FakeRedis()
    context = Context(SETTINGS, engine, redis, lambda: round(clock[0] * SECOND_US), wire, wire, Random(seed))
    is_pushed = adapter == PUSHED
    adapter = "signed_webhook" if is_pushed else adapter
    year = Year(adapter, engine, store, floor, wire, context, clock, hooks, is_pushed=is_pushed)
    ours, floor.post = Flask("year"), year.take_push
    ours.register_blueprint(warehouse_messages.blueprint(context))
    apps[OUR_HOST] = ours
    try:
        _connect(year, settings)
        yield year
    finally:
        store.stop()


def find_memory() -> str | None:
    """A folder in memory for the ledger, if there is one: that a disk keeps what it is given is tested elsewhere."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


def _connect(year: Year, settings: Mapping[str, str]) -> None:
    context = year.context
    credentials = Credentials("id", "secret", f"http://{STORE_HOST}/v1/").as_config()
    with writing(year.engine) as conn:
        year.store_id = save_store(conn, STORE, context.now()).id
        sealed = encrypt(SETTINGS.secret_keys, credentials, build_api_identity(year.store_id))
        save_store_api(conn, year.store_id, sealed, context.now())
    given = {"earliest_order_at": "2026-01-01", **settings}
    is_file = year.adapter == SPREADSHEET
    config = {"preset": "generic"} if is_file else build_config(year.adapter, f"http://{WAREHOUSE_HOST}")
    connect_warehouse(context, year.store_id, year.adapter, config, given)
    if year.is_pushed:
        listener = Listener("generic", f"http://{OUR_HOST}/fulfilment/{STORE}/events", KEYS.webhook_secret)
        year.floor.outbox.listeners["generic"] = listener
    year.go_live()


logging.getLogger("werkzeug").setLevel(logging.ERROR)
