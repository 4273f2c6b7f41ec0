"""What happens: live hooks on a quiet system, then the backfill with its kills, while live hooks go on."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sqlalchemy import select

from bench import cratejoy_objects
from bench.backfill.installation import Installation, start_installation
from bench.hooks import make_order_hook
from bench.load import post, send_requests
from bench.processes import Folder
from pipeline.ledger.engine import make_engine, reading
from pipeline.ledger.schema.core import Delivery

PEOPLE = 20  # of live hooks; the platform has their profiles
_PAUSE_RANGE_S = (0.4, 0.9)  # seconds between two live hooks: random, so that no sweep is always met
_FIRST = 500_000  # numbers of live objects, far from the store's own
_POLL_INTERVAL_S = 0.5
_STALL_TIMEOUT_S = 180.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """How large, how fast, how cruel."""

    customers: int
    rate: float
    retry_after: int
    kills: int
    refusals: int
    samples: int
    postgres: str | None = None


@dataclass
class Observations:
    """What was seen, before it is judged. Times are seconds since the epoch."""

    customers: set[int] = field(default_factory=set)
    requests: list[dict[str, Any]] = field(default_factory=list)
    people: list[dict[str, Any]] = field(default_factory=list)
    profiles: dict[int, int] = field(default_factory=dict)  # customer id -> profiles written for them
    progress: dict[str, Any] = field(default_factory=dict)
    kills: list[float] = field(default_factory=list)
    before: dict[int, float] = field(default_factory=dict)  # order id -> when its hook was sent
    during: dict[int, float] = field(default_factory=dict)


def run_scenario(folder: Folder, script: Scenario) -> Observations:
    """Everything, to its end."""
    seen, rng = Observations(), Random(1)
    with start_installation(folder, script.rate, script.postgres) as made:
        _prepare_store(made, seen, script)
        live = _LiveHooks(made, made.connect(), rng)
        live.send_first_hooks()
        live.send(script.samples, seen.before)
        done = threading.Event()
        talking = threading.Thread(target=live.send_until, args=(done, seen.during), daemon=True)
        made.connect_cratejoy()
        talking.start()
        _run_backfill(made, seen, script, rng)
        done.set()
        talking.join()
        made.platform.wait_for(PEOPLE + len(seen.before) + len(seen.during))
        _wait_for_deliveries(made)
        seen.requests = made.control("requests")["requests"]
        seen.people = made.platform.people()
        seen.profiles = _count_profiles(made)
    return seen


def _prepare_store(made: Installation, seen: Observations, script: Scenario) -> None:
    """The store's people, and its limit."""
    seen.customers = set(made.control("customers", {"count": script.customers})["ids"])
    made.control("faults", {"rate": script.rate, "retry_after": script.retry_after, "prefix": "/v1"})


def _run_backfill(made: Installation, seen: Observations, script: Scenario, rng: Random) -> None:
    """Until the backfill has ended: kills at even shares of it, refusals between."""
    marks = [(number + 0.5) / (script.kills + 1) for number in range(script.kills)]
    refusals = [(number + 1) / (script.refusals + 1) for number in range(script.refusals)]
    since, last = time.monotonic(), -1
    while not _has_ended(seen.progress):
        seen.progress = made.command("receiver.cli", "backfill", "status", "--store", "bench", "--json")
        share = _get_done_share(seen.progress)
        if marks and share >= marks[0]:
            marks.pop(0)
            time.sleep(rng.random())  # at any moment of a page
            seen.kills.append(time.time())
            made.kill_worker(len(seen.kills) % 2)
        if refusals and share >= refusals[0]:
            refusals.pop(0)
            made.control("faults", {"status": 429, "times": 1, "retry_after": script.retry_after, "prefix": "/v1"})
        if seen.progress["pages"] != last:
            since, last = time.monotonic(), seen.progress["pages"]
        if time.monotonic() - since > _STALL_TIMEOUT_S:
            raise RuntimeError(f"the backfill does not move: {seen.progress}")
        time.sleep(_POLL_INTERVAL_S)


def _has_ended(progress: dict[str, Any]) -> bool:
    return bool(progress) and progress["ended_at"] is not None


def _get_done_share(progress: dict[str, Any]) -> float:
    return progress["pages"] / progress["pages_total"] if progress.get("pages_total") else 0.0


def _wait_for_deliveries(made: Installation) -> None:
    """Until every profile has left."""
    while made.command("receiver.cli", "status", "--json")["pending"]:
        time.sleep(_POLL_INTERVAL_S)


def _count_profiles(made: Installation) -> dict[int, int]:
    """How many profiles were written for each customer."""
    engine = make_engine(made.database_url)
    with reading(engine) as db:
        rows = db.execute(select(Delivery.message, Delivery.id).where(Delivery.kind == "profile"))
        found: dict[int, int] = {}
        for message, _ in rows:
            found[message["customer_id"]] = found.get(message["customer_id"], 0) + 1
    engine.dispose()
    return found


class _LiveHooks:
    """Live hooks in sequence."""

    def __init__(self, made: Installation, paths: dict[str, str], rng: Random) -> None:
        self._made = made
        self._paths = paths
        self._rng = rng
        self._number = _FIRST

    def send_first_hooks(self) -> None:
        """Create the profiles of the people first, as they exist for most hooks."""
        for _ in range(PEOPLE):
            self._one()
        self._made.platform.wait_for(PEOPLE)

    def send(self, count: int, sent: dict[int, float]) -> None:
        for _ in range(count):
            time.sleep(self._rng.uniform(*_PAUSE_RANGE_S))
            order, at = self._one()
            sent[order] = at

    def send_until(self, done: threading.Event, sent: dict[int, float]) -> None:
        while not done.is_set():
            self.send(1, sent)

    def _one(self) -> tuple[int, float]:
        number, at = self._number, time.time()
        self._number += 1
        hook = make_order_hook(number, _FIRST + number % PEOPLE)
        send_requests(self._made.port, [post(self._paths[hook.event], hook.body)], 1)
        return cratejoy_objects.make_id("order", number), at
