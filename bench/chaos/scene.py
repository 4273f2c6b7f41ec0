"""One fault from beginning to end: hooks flow, the fault strikes, hooks flow on, everything settles, all is counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from bench.chaos.count import Row, count
from bench.chaos.hooks import EVENT, Hook, hook
from bench.chaos.installation import Installation, await_
from bench.chaos.load import Load, Told
from bench.chaos.platform import Arrived

BEFORE = 2.0  # seconds of undisturbed hooks
AFTER = 3.0
STALLED = 100.0  # without any progress nothing more is to be expected
PEOPLE = 40


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault: what it is called, what it does, and how many hooks a second flow meanwhile."""

    name: str
    strike: Callable[[Scene], None]
    rate: int = 100
    people: int = PEOPLE
    databases: tuple[str, ...] = ("sqlite", "postgresql")


@dataclass
class Scene:
    """What a fault works with."""

    here: Installation
    load: Load
    rng: Random
    short: bool
    row: Row
    rate: int
    people: int
    first_who: int
    ended_at: int = 0
    more: list[Arrived] = field(default_factory=list)
    _flowing: threading.Event = field(default_factory=threading.Event)

    def tell(self, who: int, *, copies: int = 0) -> Told:
        """One more hook about the person of that place."""
        number, self.here.numbers = self.here.numbers, self.here.numbers + 1
        made: Hook = hook(number, self.first_who + who % self.people, copies=copies)
        return self.load.tell(made)

    @contextmanager
    def flow(self) -> Iterator[None]:
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
                self.tell(self.rng.randrange(self.people))
                sent += 1
            time.sleep(0.005)

    def times(self, full: int, short: int) -> int:
        """How often, in this form."""
        return short if self.short else full

    def seconds(self, full: float, short: float) -> float:
        """How long, in this form."""
        return short if self.short else full

    def broke(self, what: str) -> None:
        """A promise besides the counts did not hold."""
        self.row.broken.append(what)

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


def play(here: Installation, fault: Fault, database: str, *, short: bool, seed: int) -> Row:
    """Let one fault strike, and judge it."""
    here.platform.reset()
    row = Row(fault.name, database)
    load = Load(here.port, here.hooks[EVENT])
    first_who, here.people = here.people, here.people + fault.people
    rng = Random(f"{seed} {fault.name}")
    scene = Scene(here, load, rng, short, row, fault.rate, fault.people, first_who)
    scene.tell(0)
    await_(lambda: here.platform.count() > 0, "the first hook has arrived")
    with scene.flow():
        time.sleep(BEFORE)
        fault.strike(scene)
        scene.ended_at = scene.ended_at or time.time_ns() // 1000
        time.sleep(AFTER)
    told = load.finish()
    arrived = settle(here, told)
    return count(row, told, arrived, scene.ended_at)


def settle(here: Installation, told: list[Told]) -> list[Arrived]:
    """Wait until all that was accepted has arrived and nothing waits, or nothing moves any more."""
    wanted = {(address, one.hook.subject) for one in told if one.accepted for address in one.hook.addresses}
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < STALLED:
        reached = here.platform.count()
        if reached != seen:
            seen, since = reached, time.monotonic()
        elif reached >= len(wanted) and _quiet(here):
            arrived = here.platform.arrived()
            if wanted <= {(one.address, one.subject) for one in arrived}:
                return arrived
        time.sleep(0.25)
    return here.platform.arrived()


def _quiet(here: Installation) -> bool:
    try:
        return not here.waiting()
    except (RedisError, SQLAlchemyError):
        return False
