"""A store and a warehouse of the sandbox over real HTTP, and the fulfilment between them on a clock of the test."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import fakeredis
from sqlalchemy import Engine
from werkzeug.serving import make_server

from bench.warehouse_configs import KEYS, build_config
from pipeline.context import Context
from pipeline.fulfilment.requests import Requests
from pipeline.fulfilment.run import look_at_hinted, run_lane
from pipeline.fulfilment.schedule import PULL_LANES, list_due_lanes
from pipeline.fulfilment.set_up import build_report, connect_warehouse, go_live, save_fulfilment_settings
from pipeline.fulfilment.site import open_adapter
from pipeline.infra.crypto.encryption import encrypt
from pipeline.infra.http.client import HTTPClient
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.events import list_order_events
from pipeline.ledger.fulfilment.orders import OrderRow, find_newest_order
from pipeline.ledger.fulfilment.quarantine import list_quarantined
from pipeline.ledger.fulfilment.warehouses import find_warehouse, get_warehouse
from pipeline.ledger.store_apis import build_api_identity, save_store_api
from sandbox.http_handler import Handler
from sandbox.store.server import RunningStore
from sandbox.warehouse.app import create_app
from sandbox.warehouse.posting import post_to_loopback
from sandbox.warehouse.server import HOST, RunningWarehouse
from sandbox.warehouse.world import World
from tests.contexts import SETTINGS, make_context
from tests.pipeline.ledger.rows import add_store
from tests.pipeline.sandbox_store import AMPLE_PER_S, Clock, StoreControl

MINUTE, HOUR, DAY = 60, 3_600, 86_400
MAX_ROUNDS = 60  # of one `settle`: a lane that is always due again would never end


class Killed(BaseException):
    """The worker is gone at this very point: nothing of ours catches it."""


@dataclass
class Fuse:
    """Kills the worker before or after a call to the warehouse, or to Cratejoy: `("before", "create")`."""

    when: tuple[str, str] | None = None

    def burn(self, point: str, call: str) -> None:
        if self.when == (point, call):
            self.when = None
            raise Killed

    def around(self, warehouse: Any) -> Any:
        """The warehouse with the fuse in each of its calls."""
        return _Fused(warehouse, self)


class _Fused:
    def __init__(self, warehouse: Any, fuse: Fuse) -> None:
        self._warehouse, self._fuse = warehouse, fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._warehouse, name)
        if name not in ("create", "find", "cancel", "acknowledge", "list_shipped"):
            return found

        def call(*given: Any) -> Any:
            self._fuse.burn("before", name)
            answer = found(*given)
            self._fuse.burn("after", name)
            return answer

        return call


class FusedHTTP(HTTPClient):
    """Real calls, with the fuse around each that writes to Cratejoy."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self._fuse = fuse

    def call(self, method: Any, url: str, **how: Any) -> Any:
        if method != "PUT":
            return super().call(method, url, **how)
        self._fuse.burn("before", "PUT")
        answer = super().call(method, url, **how)
        self._fuse.burn("after", "PUT")
        return answer


@dataclass
class Bridge:
    """One store with one warehouse. Times are seconds, except where the ledger's are µs."""

    engine: Engine
    store: StoreControl
    warehouse: RunningWarehouse
    adapter: str
    clock: Clock
    context: Context
    store_id: int
    fuse: Fuse

    def sell(self, **sale: Any) -> int:
        """A sale at the store; returns its first shipment. Paid, and due at once, unless it says otherwise."""
        given = {"target": self.iso(-HOUR), "billing": "adhoc"} | sale
        return self.sold(**given)["shipment_ids"][0]

    def sold(self, **sale: Any) -> dict[str, Any]:
        """A sale at the store, a moment ago: a sale takes some seconds of the store's time."""
        made: dict[str, Any] = self.store.control("sales", sale)
        self.skip(MINUTE)
        return made

    def do(self, kind: str, number: int, act: str, **given: Any) -> dict[str, Any]:
        """What a merchant does in the dashboard: `do("shipments", 7, "cancel")`."""
        return self.store.control(f"{kind}/{number}/{act}", given)

    def iso(self, seconds: float = 0) -> str:
        """A time so many seconds from now."""
        return datetime.fromtimestamp(self.clock() / 1_000_000 + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def settle(self, *, except_for: tuple[str, ...] = ()) -> None:
        """Work on every lane that is due until none is."""
        for _ in range(MAX_ROUNDS):
            with reading(self.engine) as conn:
                row = find_warehouse(conn, self.store_id)
                due = [lane for lane in list_due_lanes(conn, row, self.clock()) if lane not in except_for]
            if not due:
                return
            for lane in due:
                self.run(lane)
        raise AssertionError(f"{due} are due without end")

    def run(self, lane: str) -> Any:
        """Work on one lane, due or not."""
        return run_lane(self.context, self.store_id, lane, open_warehouse=self._open)

    def hint(self, *hints: tuple[str, int]) -> Any:
        """A hook has named these."""
        return look_at_hinted(self.context, self.store_id, hints, self.clock() + 1, open_warehouse=self._open)

    def search(self) -> None:
        """Have everything searched again, and do all that is due."""
        for lane in PULL_LANES:
            self.run(lane)
        self.settle()

    def wait(self, seconds: float) -> None:
        """Let time pass, here and at the store, and do what is due then."""
        self.skip(seconds)
        self.settle()

    def skip(self, seconds: float) -> None:
        """Let time pass while no worker works."""
        self.clock.now += round(seconds * 1_000_000)
        self.store.control("clock", {"now": self.iso()})

    def kill(self, point: str, call: str, *, lane: str) -> None:
        """Work on a lane with a worker that is killed at this point."""
        self.fuse.when = (point, call)
        with contextlib.suppress(Killed):
            self.run(lane)
        assert self.fuse.when is None, f"{lane} never came to {point} {call}"
        self.context.redis.flushall()  # its lease expires

    def box(self, shipment_id: int) -> OrderRow:
        with reading(self.engine) as conn:
            row = find_newest_order(conn, self.store_id, shipment_id)
        assert row is not None, f"there is no box of shipment {shipment_id}"
        return row

    def state(self, shipment_id: int) -> str:
        """The state, with its reason: "held(unpaid)"."""
        row = self.box(shipment_id)
        return f"{row.state.value}({row.reason})" if row.reason else row.state.value

    def events(self, shipment_id: int) -> list[str]:
        with reading(self.engine) as conn:
            return [event.kind for event in list_order_events(conn, [self.box(shipment_id).id])]

    def quarantined(self) -> list[str]:
        with reading(self.engine) as conn:
            return [one.tracking_number for one in list_quarantined(conn, self.store_id)]

    def sent(self, shipment_id: int | None = None) -> list[dict[str, Any]]:
        """The warehouse's orders, of one box or all, as it has them."""
        found: list[dict[str, Any]] = self._warehouse_state()["orders"]
        number = None if shipment_id is None else self.box(shipment_id).order_number
        return [order for order in found if number in (None, order["order_number"])]

    def ship(self, shipment_id: int, **how: Any) -> None:
        """The warehouse packs the box and hands it to the carrier."""
        self.control("ship", order_number=self.box(shipment_id).order_number, **how)

    def control(self, path: str, **body: Any) -> Any:
        """A control call of the sandbox warehouse."""
        return _post(f"{self.warehouse.url}/_control/{path}", body)

    def mend(self) -> None:
        """End every fault of the warehouse."""
        assert HTTPClient().call("DELETE", f"{self.warehouse.url}/_control/faults").status == 200

    def fault(self, **fault: Any) -> None:
        """A fault of the warehouse's interfaces."""
        self.control("faults", **fault)

    def shipment(self, shipment_id: int) -> dict[str, Any]:
        """The shipment at the store, with how many e-mails it caused, and how many PUTs marked it as shipped."""
        answer = HTTPClient().call("GET", f"{self.store.running.url}/_sandbox/shipments", max_bytes=10_000_000)
        return next(one for one in json.loads(answer.body)["shipments"] if one["id"] == shipment_id)

    def report(self) -> Any:
        with reading(self.engine) as conn:
            return build_report(conn, self.store_id)

    def go_live(self) -> None:
        """Run the dry run to its end, and accept it."""
        self.settle()
        go_live(self.context, self.store_id, self.report().would_go)
        self.settle()

    def set(self, **settings: str) -> None:
        """Change settings, as their form has them."""
        save_fulfilment_settings(self.context, self.store_id, settings)

    def requests(self) -> Requests:
        return Requests(self.context, self.store_id, open_warehouse=self._open)

    def is_paused(self) -> str | None:
        with reading(self.engine) as conn:
            return get_warehouse(conn, self.store_id).status_reason

    def _open(self, context: Context, row: Any, config: Mapping[str, str], calls: Any) -> Any:
        return self.fuse.around(open_adapter(context, row, config, calls))

    def _warehouse_state(self) -> dict[str, Any]:
        return json.loads(HTTPClient().call("GET", f"{self.warehouse.url}/_control/state", max_bytes=10_000_000).body)


def _post(url: str, body: Mapping[str, Any]) -> Any:
    answer = HTTPClient().call("POST", url, body=json.dumps(dict(body)).encode())
    assert answer.status in (200, 201), answer.body
    return json.loads(answer.body)


@contextlib.contextmanager
def run_warehouse(clock: Callable[[], float]) -> Iterator[RunningWarehouse]:
    """A warehouse on a loopback port, whose time is the test's."""
    world = World(KEYS, clock, post_to_loopback)
    server = make_server(HOST, 0, create_app(world), threaded=True, request_handler=Handler)
    running = RunningWarehouse(f"http://{HOST}:{server.server_port}", world, server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.stop()
        thread.join()


def build_bridge(
    engine: Engine, store: RunningStore, warehouse: RunningWarehouse, clock: Clock, adapter: str, **settings: str
) -> Bridge:
    """A connected store in dry run, whose boxes do not cool off unless the settings say so."""
    control = StoreControl(store)
    fuse = Fuse()
    context = make_context(engine, fakeredis.FakeRedis(), clock, FusedHTTP(fuse), cratejoy_rate=AMPLE_PER_S)
    config = control.credentials().as_config()
    with writing(engine) as conn:
        store_id = add_store(conn).id
        save_store_api(conn, store_id, encrypt(SETTINGS.secret_keys, config, build_api_identity(store_id)), clock())
    plain = {"earliest_order_at": "2026-01-01", "cooling_off_signup_s": "0", "cooling_off_renewal_s": "0"}
    connect_warehouse(context, store_id, adapter, build_config(adapter, warehouse.url), plain | settings)
    made = Bridge(engine, control, warehouse, adapter, clock, context, store_id, fuse)
    made.skip(0)
    return made
