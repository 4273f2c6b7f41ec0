"""Whether a hook costs more when the ledger holds more: the same hooks through a small, a full and a doubled ledger.

In one process and with a platform that answers at once, in turns, so that what is compared is what our code and the
database do. The rows are made by SQL from those of one store's real hooks: each copy is a store of its own, with its
connection, its lane, its people and all their events. Hooks come from as many stores in each ledger.
"""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis
from sqlalchemy import Engine

from bench import systems
from bench.hooks import make_hooks
from bench.in_process import STORE, CpuTimes, StoreHooks, create_connected_store, push
from bench.processes import Folder
from pipeline.context import now_us
from pipeline.ledger.deliveries import list_due_lanes
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.migrations import migrate
from pipeline.settings import VARIABLES

SEED_EVENTS = 2_000  # real hooks, of which the other stores' rows are copies
BATCH: int = VARIABLES["batch"].default
SENDING_STORES = 5  # stores whose hooks are measured
STORE_COUNTS = (1, 5, 50, 250)  # stores among whose hooks the last ledger's batches are divided
SWEEPS = 100
_ID_OFFSET = (
    10_000_000  # distance between the keys of copies, so that they collide neither with each other nor with real keys
)

_EVENT, _PERSON, _STORE, _CONNECTION = (
    {column: f"t.{column} + :far * n.value"} for column in ("event_id", "person_id", "store_id", "connection_id")
)
_ID = {"id": "t.id + :far * n.value"}

# table -> its columns that must differ from copy to copy; the others are copied as they are
_COPIES: dict[str, dict[str, str]] = {
    "stores": {**_ID, "name": "t.name || '-' || n.value"},
    "connections": _ID | _STORE,
    "lanes": _CONNECTION,
    "events": {**_ID, **_STORE, "ulid": "t.ulid || n.value", "receipt": "t.receipt || n.value",
               "subject_id": "t.subject_id + :far * n.value"},
    "bodies": _EVENT,
    "event_subjects": {**_EVENT, **_STORE, "subject_id": "t.subject_id + :far * n.value"},
    "people": {**_ID, **_STORE, "customer_id": "t.customer_id + :far * n.value", "email": "n.value || t.email"},
    "person_keys": {**_PERSON, **_STORE, "value": "n.value || '/' || t.value"},
    "facts": _PERSON,
    "attribute_changes": {**_ID, **_PERSON, **_EVENT},
    "person_terms": _STORE | _PERSON,
    "tracking_numbers": _STORE | _EVENT,
    "event_people": _EVENT | _PERSON,
    "gifts": {**_STORE, "subject_id": "t.subject_id + :far * n.value"},
    "deliveries": {**_ID, **_STORE, **_CONNECTION, **_EVENT, **_PERSON, "message_id": "t.message_id || n.value"},
    "introductions": _CONNECTION | _PERSON,
    "calls": _ID | _CONNECTION,
    "count_changes": _ID | _STORE,
    "event_repeats": _STORE | _EVENT,
    "delivery_calls": {"delivery_id": "t.delivery_id + :far * n.value", "call_id": "t.call_id + :far * n.value"},
}  # fmt: skip
_WAITING = """
    UPDATE deliveries SET status = 'pending', done_at = NULL WHERE id IN (
        SELECT (SELECT id FROM deliveries WHERE connection_id = c.id AND message_id > '' LIMIT 1) FROM connections c
    )
"""


@dataclass
class _Costs:
    """The costs of a size of ledger, by round."""

    connections: int
    hook: list[float] = field(default_factory=list)  # CPU ms
    idle_sweep: list[float] = field(default_factory=list)
    full_sweep: list[float] = field(default_factory=list)


def measure(sizes: list[int], rounds: int, count: int) -> dict[str, Any]:
    """CPU ms per hook by the number of events in the ledger, and what the last doubling adds, in percent.

    And of a hook in the largest by the stores that a batch is about, and of a look at all lanes by the connections.
    """
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cratewire-bench-")))
        redis = stack.enter_context(systems.redis(Folder(home)))
        ledgers = [stack.enter_context(_ledger(home, redis, size)) for size in sizes]
        costs = [_Costs(size // SEED_EVENTS) for size in sizes]
        for number in range(rounds + 1):
            for engine, cost in zip(ledgers, costs, strict=True):
                spent = _round(engine, redis, number, count)
                if number:  # the first round fills the caches
                    cost.hook.append(spent)
                    cost.idle_sweep.append(_sweep(engine))
        spread = _spread(
            ledgers[-1], redis, [stores for stores in STORE_COUNTS if stores <= costs[-1].connections], rounds, count
        )
        for engine, cost in zip(ledgers, costs, strict=True):
            _make_one_pending(engine)
            cost.full_sweep = [_sweep(engine) for _ in range(rounds)]
    return _describe_costs(sizes, costs) | {"cpu_ms_per_hook_by_stores_in_a_batch": spread}


def _spread(engine: Engine, redis: Redis, spreads: list[int], rounds: int, count: int) -> dict[int, list[float]]:
    found: dict[int, list[float]] = {stores: [] for stores in spreads}
    for number in range(rounds):
        for place, stores in enumerate(spreads):
            turn = 100 + number * len(spreads) + place
            found[stores].append(round(_round(engine, redis, turn, count, stores), 3))
    return found


def _describe_costs(sizes: list[int], costs: list[_Costs]) -> dict[str, Any]:
    middles = [statistics.median(cost.hook) for cost in costs]
    return {
        "batch": BATCH,
        "stores_telling": SENDING_STORES,
        "cpu_ms_per_hook": {size: _rounded(cost.hook) for size, cost in zip(sizes, costs, strict=True)},
        "last_doubling_percent": round((middles[-1] / middles[-2] - 1) * 100, 1),
        "from_smallest_percent": round((middles[-1] / middles[0] - 1) * 100, 1),
        "cpu_ms_per_sweep": {
            cost.connections: {"nothing waits": _rounded(cost.idle_sweep), "all wait": _rounded(cost.full_sweep)}
            for cost in costs
        },
    }


def _rounded(costs: list[float]) -> list[float]:
    return [round(cost, 3) for cost in costs]


def _round(engine: Engine, redis: Redis, number: int, count: int, stores: int = SENDING_STORES) -> float:
    spent, hooks = CpuTimes(), _make_store_hooks(stores, count, first=1_000_000 + number * count)
    push(engine, redis, hooks, BATCH, spent)
    return spent.total * 1_000 / len(hooks)


def _make_store_hooks(stores: int, count: int, first: int) -> StoreHooks:
    """The stores' hooks in turns. Each has its own customers."""
    by_event = [
        make_hooks(count // stores, first=first + place * _ID_OFFSET, seed=first + place) for place in range(stores)
    ]
    return [(_store(place), hook) for together in zip(*by_event, strict=True) for place, hook in enumerate(together)]


def _store(place: int) -> str:
    return f"{STORE}-{place}" if place else STORE


def _sweep(engine: Engine) -> float:
    """CPU ms of reading the whole status."""
    before = time.process_time()
    for _ in range(SWEEPS):
        with reading(engine) as db:
            list_due_lanes(db, now_us())
    return (time.process_time() - before) * 1_000 / SWEEPS


@contextmanager
def _ledger(home: Path, redis: Redis, events: int) -> Iterator[Engine]:
    path = home / f"{events}.db"
    migrate(url := f"sqlite:///{path}")
    engine = make_engine(url)
    create_connected_store(engine)
    push(engine, redis, [(STORE, hook) for hook in make_hooks(SEED_EVENTS)], BATCH, CpuTimes())
    engine.dispose()
    fill_ledger(path, events // SEED_EVENTS - 1)
    engine = make_engine(url)
    yield engine
    engine.dispose()


def fill_ledger(path: Path, times: int) -> None:
    """Copy every row so many times. Without a journal, for gigabytes would be written twice.

    And without statistics for SQLite's planner: a ledger has none in production.
    """
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = OFF").fetchall()
        db.execute("PRAGMA synchronous = OFF")
        for table, changed in _COPIES.items():
            _copy(db, table, changed, times)
        db.commit()


def _make_one_pending(engine: Engine) -> None:
    """Make a message of each connection pending again."""
    with writing(engine) as db:
        db.exec_driver_sql(_WAITING)


def _copy(db: sqlite3.Connection, table: str, changed: dict[str, str], times: int) -> None:
    names = [str(row[1]) for row in db.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(changed.get(name, f"t.{name}") for name in names)
    numbers = "WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < :times)"
    # The names and numbers are constants, no foreign input.
    copy = f"{numbers} INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM n, {table} t"  # noqa: S608
    if times > 0:
        db.execute(copy, {"far": _ID_OFFSET, "times": times})
