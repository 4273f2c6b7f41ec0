"""The run of a fault: hooks flow, the fault strikes, hooks continue, everything settles, results are counted."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from bench.chaos.accounting import Row, check_unaccepted, count_results
from bench.chaos.hooks import EVENT, Hook, make_hook
from bench.chaos.installation import Installation
from bench.chaos.load import HookLoad, SentHook
from bench.chaos.platform import AnyPlatform
from bench.chaos.waiting import wait_until
from pipeline.inbox import stream

ONLY_SQLITE, ONLY_POSTGRESQL = ("sqlite",), ("postgresql",)
BEFORE_S = 2.0  # seconds of undisturbed hooks
AFTER_S = 3.0
STALL_TIMEOUT_S = 150.0  # without any progress nothing more is to be expected
MIN_QUIET_CHECKS = 4  # checks in a row that found nothing waiting
PEOPLE = 40


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault: what it is called, what it does, and how many hooks a second flow meanwhile."""

    name: str
    inject: Callable[[FaultRun], None]
    rate: int = 100
    people: int = PEOPLE
    databases: tuple[str, ...] = ONLY_SQLITE + ONLY_POSTGRESQL  # a single database, if it does not matter for the fault
    needs_new_installation: bool = False  # what it leaves behind would disturb the next
    worker: str = "celery"  # the program that runs the workers
    resumes_s: float | None = None  # how soon after the fault something must arrive again
    refuses: bool = False  # the receiver has no room, and may refuse
    replicas: int | None = None  # that an acknowledgement waits for, in an installation with a replica and Sentinels
    is_promised: bool = True  # False: it shows what is lost without a setting
    syncs: bool = False  # PostgreSQL is to sync, as it does outside of the bench
    cuts: bool = False  # web is killed, and with it what it was about to answer
    begins_before: bool = False  # with the release before this one


@dataclass
class FaultRun:
    """What a fault works with."""

    here: Installation
    load: HookLoad
    rng: Random
    short: bool
    row: Row
    rate: int
    people: int
    first_person: int
    accounted_before: int = 0  # hooks before the first hook of this scene
    ended_at: int = 0
    others: dict[AnyPlatform, int] = field(default_factory=dict)  # which hold the same of what was sent since
    checks: list[Callable[[], None]] = field(default_factory=list)  # to be made when everything has settled
    _flowing: threading.Event = field(default_factory=threading.Event)

    def make(self, who: int) -> Hook:
        """A new hook about the person of that place."""
        number, self.here.numbers = self.here.numbers, self.here.numbers + 1
        return make_hook(number, self.first_person + who % self.people)

    def send(self, who: int) -> SentHook:
        """Send a hook."""
        return self.load.send(self.make(who))

    @contextmanager
    def steady_load(self) -> Iterator[None]:
        """Hooks at the rate of this scene while the block runs."""
        self._flowing.set()
        thread = threading.Thread(target=self._flow, name="flow", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._flowing.clear()
            thread.join()

    def _flow(self) -> None:
        start, sent = time.monotonic(), 0
        while self._flowing.is_set():
            while sent < (time.monotonic() - start) * self.rate:
                self.send(self.rng.randrange(self.people))
                sent += 1
            time.sleep(0.005)

    def await_answers(self) -> None:
        """Return when a hook that was sent from now on has been acknowledged."""
        known, since = len(self.load.sent), now_us()
        wait_until(
            lambda: any(hook.accepted and hook.sent_at > since for hook in self.load.sent[known:]), "web answers"
        )

    def times(self, full: int, short: int) -> int:
        """How often, in this form."""
        return short if self.short else full

    def seconds(self, full: float, short: float) -> float:
        """How long, in this form."""
        return short if self.short else full

    def add_failure(self, what: str) -> None:
        """A promise besides the counts did not hold."""
        self.row.broken.append(what)

    def skip(self, why: str) -> None:
        """The fault cannot be tested on this machine."""
        self.row.skipped = why

    def note(self, what: str) -> None:
        """Worth knowing."""
        self.row.notes.append(what)

    def threads(self, name: str = "web") -> int:
        """How many threads a process and its children have."""
        group = self.here.keeper[name].pid
        return sum(1 for _ in Path("/proc").glob("[0-9]*/task/*") if _group_of(_) == group)


def _group_of(task: Path) -> int | None:
    try:
        return int((task / "stat").read_text().rpartition(")")[2].split()[2])
    except (OSError, IndexError, ValueError):
        return None


def run_fault(here: Installation, fault: Fault, database: str, *, short: bool, seed: int) -> Row:
    """Run a fault and judge it."""
    here.platform.reset()
    row = Row(fault.name, database, is_promised=fault.is_promised)
    load = HookLoad(here.port, here.hooks[EVENT])
    first_who, here.people = here.people, here.people + fault.people
    scene = FaultRun(here, load, Random(f"{seed} {fault.name}"), short, row, fault.rate, fault.people, first_who)
    scene.accounted_before = here.accounted()
    first = scene.send(0)
    wait_until(
        lambda: here.platform.count() > 0,
        "the first hook has arrived",
        describe=lambda: _describe_missing_hook(here, first),
    )
    with scene.steady_load():
        time.sleep(BEFORE_S)
        fault.inject(scene)
        scene.ended_at = scene.ended_at or now_us()
        time.sleep(AFTER_S)
        scene.send(0)
    sent_hooks = load.finish()
    wait_until_settled(here, [here.platform, *scene.others])
    for check in scene.checks:
        check()
    count_results(row, sent_hooks, here.platform.arrived(), scene.ended_at, aside=here.set_aside())
    row.broken += check_unaccepted(row, refuses=fault.refuses, cuts=fault.cuts)
    for other, since in scene.others.items():
        row.add(count_results(Row("", ""), sent_hooks, other.arrived(), scene.ended_at, since=since))
    if fault.resumes_s is not None and (row.resumed_s is None or row.resumed_s > fault.resumes_s):
        scene.add_failure(f"work was taken up after {row.resumed_s} s instead of {fault.resumes_s:.0f}")
    return row


def wait_until_settled(here: Installation, platforms: Sequence[AnyPlatform]) -> None:
    """Wait until nothing waits, or nothing moves any more."""
    seen, since, quiet = (-1, -1), time.monotonic(), 0
    while time.monotonic() - since < STALL_TIMEOUT_S and quiet < MIN_QUIET_CHECKS:
        state = (sum(platform.count() for platform in platforms), _count_waiting(here))
        if state != seen:
            seen, since = state, time.monotonic()
        quiet = 0 if state[1] else quiet + 1
        time.sleep(0.25)


def now_us() -> int:
    """µs since the epoch."""
    return time.time_ns() // 1000


def _describe_missing_hook(here: Installation, sent: SentHook) -> str:
    """What to inspect when a hook does not arrive."""
    return (
        f"it was answered with {sent.status}; "
        f"{stream.depth(here.redis)} in the inbox, {_count_waiting(here)} wait in all"
    )


def _count_waiting(here: Installation) -> int:
    try:
        return here.waiting()
    except (RedisError, SQLAlchemyError, sqlite3.Error):
        return -1
