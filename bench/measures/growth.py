"""Whether a hook costs more when the ledger holds more: the same hooks through a small, a full and a doubled ledger.

In one process and with a platform that answers at once, in turns, so that what is compared is what our code and the
database do. The rows are made by SQL from those of real hooks: alike in size, different in every key.
"""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from redis import Redis
from sqlalchemy import Engine

from bench import contenders
from bench.hooks import hooks
from bench.oneprocess import Spent, connected, push
from bench.running import Folder
from pipeline.ledger.engine import make_engine
from pipeline.ledger.migrations import migrate

SEED = 1_000  # real hooks, of which the ledger's rows are copies
BATCH = 100
_FAR = 10_000_000  # copies' keys are so far from each other that none meets another or a real one

# table -> its columns that must differ from copy to copy; the others are copied as they are
_COPIES: dict[str, dict[str, str]] = {
    "events": {"id": "t.id + :far * n.value", "happening": "t.happening || '/' || n.value",
               "ulid": "t.ulid || n.value", "receipt": "t.receipt || n.value",
               "subject_id": "t.subject_id + :far * n.value"},
    "bodies": {"event_id": "t.event_id + :far * n.value"},
    "event_subjects": {"event_id": "t.event_id + :far * n.value", "subject_id": "t.subject_id + :far * n.value"},
    "people": {"id": "t.id + :far * n.value", "customer_id": "t.customer_id + :far * n.value",
               "email": "n.value || t.email"},
    "person_keys": {"value": "n.value || '/' || t.value", "person_id": "t.person_id + :far * n.value"},
    "facts": {"person_id": "t.person_id + :far * n.value"},
    "event_people": {"event_id": "t.event_id + :far * n.value", "person_id": "t.person_id + :far * n.value"},
    "gifts": {"subject_id": "t.subject_id + :far * n.value"},
    "deliveries": {"id": "t.id + :far * n.value", "event_id": "t.event_id + :far * n.value",
                   "person_id": "t.person_id + :far * n.value", "message_id": "t.message_id || n.value"},
    "introductions": {"person_id": "t.person_id + :far * n.value"},
}  # fmt: skip


def measure(sizes: list[int], rounds: int, count: int) -> dict[str, Any]:
    """CPU ms per hook by the number of events in the ledger, and what the last doubling adds, in percent."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cratewire-bench-")))
        redis = stack.enter_context(contenders.redis(Folder(home)))
        ledgers = [stack.enter_context(_ledger(home, redis, size)) for size in sizes]
        spent: list[list[float]] = [[] for _ in sizes]
        for number in range(rounds + 1):
            for place, (engine, connection_id) in enumerate(ledgers):
                cost = _round(engine, redis, connection_id, first=1_000_000 + number * count, count=count)
                if number:  # the first round fills the caches
                    spent[place].append(cost)
    middles = [statistics.median(costs) for costs in spent]
    return {
        "cpu_ms_per_hook": {size: [round(cost, 3) for cost in costs] for size, costs in zip(sizes, spent, strict=True)},
        "last_doubling_percent": round((middles[-1] / middles[-2] - 1) * 100, 1),
        "from_smallest_percent": round((middles[-1] / middles[0] - 1) * 100, 1),
    }


def _round(engine: Engine, redis: Redis, connection_id: int, *, first: int, count: int) -> float:
    spent = Spent()
    push(engine, redis, connection_id, hooks(count, first=first, seed=first), BATCH, spent)
    return spent.total * 1_000 / count


@contextmanager
def _ledger(home: Path, redis: Redis, events: int) -> Iterator[tuple[Engine, int]]:
    path = home / f"{events}.db"
    migrate(url := f"sqlite:///{path}")
    engine = make_engine(url)
    connection_id = connected(engine)
    push(engine, redis, connection_id, hooks(SEED), BATCH, Spent())
    engine.dispose()
    _fill(path, events // SEED - 1)
    engine = make_engine(url)
    yield engine, connection_id
    engine.dispose()


def _fill(path: Path, times: int) -> None:
    """Copy every row so many times. Without a journal, for gigabytes would be written twice."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = OFF").fetchall()
        db.execute("PRAGMA synchronous = OFF")
        for table, changed in _COPIES.items():
            _copy(db, table, changed, times)
        db.execute("ANALYZE")
        db.commit()


def _copy(db: sqlite3.Connection, table: str, changed: dict[str, str], times: int) -> None:
    names = [str(row[1]) for row in db.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(changed.get(name, f"t.{name}") for name in names)
    numbers = "WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < :times)"
    # Our own names and numbers, nobody's input.
    copy = f"{numbers} INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM n, {table} t"  # noqa: S608
    if times > 0:
        db.execute(copy, {"far": _FAR, "times": times})
