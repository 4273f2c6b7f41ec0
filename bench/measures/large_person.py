"""Whether a hook costs more when its person has many orders: people with 5 orders and with 5,000, in turns.

In one process, through the functions that the tasks call. Counted is the CPU of recording, of this process and of
PostgreSQL's, for hooks that come alone and for hooks in batches about one person.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from bench import cratejoy_objects
from bench.chaos.databases import is_postgres_installed, running_postgres
from bench.hooks import Hook
from bench.in_process import STORE, build_entry, create_connected_store
from bench.machine import cpu_seconds
from pipeline.context import now_us
from pipeline.ledger.engine import make_engine, writing
from pipeline.ledger.migrations import migrate
from pipeline.processing.decode import decode_batch
from pipeline.processing.record import record
from pipeline.processing.validate import validate_batch

FEW, MANY = 5, 5_000  # orders
BATCH = 10  # hooks
_FILLING = 200  # hooks of a batch, before anything is measured
_SEND_ALL = (
    "UPDATE deliveries SET status = 'sent', done_at = created_at WHERE done_at IS NULL",
    (
        "INSERT INTO introductions SELECT DISTINCT connection_id, person_id FROM deliveries WHERE TRUE "
        "ON CONFLICT DO NOTHING"
    ),
)
_OBJECTS = {"order_new": cratejoy_objects.order, "shipment_shipped": cratejoy_objects.shipment}


@dataclass(slots=True)
class Customer:
    """A customer, and the number of their next order: each order has a box."""

    who: int
    next_order: int

    def make_hooks(self, count: int) -> list[Hook]:
        """The hooks of the next orders and their boxes, in turns."""
        hooks = []
        for place in range(count):
            number, is_box = self.next_order + place // 2, place % 2
            event = "shipment_shipped" if is_box else "order_new"
            body = _OBJECTS[event](number, self.who, gift=False)
            hooks.append(Hook(event, json.dumps(json.dumps(body)).encode(), 1))
        self.next_order += count // 2
        return hooks


def measure(rounds: int, count: int, many: int = MANY) -> dict[str, Any]:
    """CPU ms of recording a hook, by database, by how it comes, and by the orders of its person: one of each round."""
    found = {"sqlite": _measure_on_sqlite(rounds, count, many)}
    if is_postgres_installed():
        found["postgresql"] = _measure_on_postgresql(rounds, count, many)
    return {"orders": [FEW, many], "batch": BATCH, "record_cpu_ms": found}


def _measure_on_sqlite(rounds: int, count: int, many: int) -> dict[str, dict[int, list[float]]]:
    with tempfile.TemporaryDirectory(prefix="cratewire-bench-") as home, _ledger(f"sqlite:///{home}/b.db") as engine:
        return _measure(engine, rounds, count, many, time.process_time)


def _measure_on_postgresql(rounds: int, count: int, many: int) -> dict[str, dict[int, list[float]]]:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cratewire-bench-")))
        url, server = stack.enter_context(running_postgres(home))
        engine = stack.enter_context(_ledger(url))
        return _measure(engine, rounds, count, many, lambda: time.process_time() + cpu_seconds([server]))


@contextmanager
def _ledger(url: str) -> Iterator[Engine]:
    migrate(url)
    engine = make_engine(url)
    create_connected_store(engine)
    yield engine
    engine.dispose()


def _measure(
    engine: Engine, rounds: int, count: int, many: int, spent: Callable[[], float]
) -> dict[str, dict[int, list[float]]]:
    large = Customer(1, 100_000)
    _fill(engine, [large], many)
    found: dict[str, dict[int, list[float]]] = {how: {FEW: [], many: []} for how in ("alone", "in a batch")}
    for number in range(rounds + 1):
        first = 1_000 * (number + 1)
        small = [Customer(first + place, 100_000 * first + 1_000 * place) for place in range(count // BATCH)]
        _fill(engine, small, FEW)
        for orders, customers in ((FEW, small), (many, [large] * len(small))):
            for how, size in (("alone", 1), ("in a batch", BATCH)):
                hooks = [hook for customer in customers for hook in customer.make_hooks(BATCH)]
                cost = _record(engine, hooks, size, spent) * 1_000 / len(hooks)
                if number:  # the first round fills the caches
                    found[how][orders].append(round(cost, 3))
    return found


def _fill(engine: Engine, customers: Sequence[Customer], orders: int) -> None:
    """Record so many orders and boxes of each, as if their messages had been sent."""
    for customer in customers:
        _record(engine, customer.make_hooks(2 * orders), _FILLING, time.process_time)
    with writing(engine) as conn:
        for statement in _SEND_ALL:
            conn.exec_driver_sql(statement)


def _record(engine: Engine, hooks: Sequence[Hook], size: int, spent: Callable[[], float]) -> float:
    """Record the hooks in batches of this size; returns the CPU seconds that recording took."""
    total = 0.0
    for start in range(0, len(hooks), size):
        entries = [build_entry(place, STORE, hook) for place, hook in enumerate(hooks[start : start + size])]
        valid = validate_batch(decode_batch(entries, now_us(), now_us), now_us)
        raws = {entry.entry_id: (entry.raw, None) for entry in entries}
        before = spent()
        record(engine, valid, raws, now_us)
        total += spent() - before
    return total


def ratios(found: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Of the medians: what a hook costs of a person with many orders, of one with few."""
    return {
        database: {
            how: statistics.median(costs[max(costs, key=int)]) / statistics.median(costs[min(costs, key=int)])
            for how, costs in ways.items()
        }
        for database, ways in found["record_cpu_ms"].items()
    }
