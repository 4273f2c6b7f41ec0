"""One store with everything about it: state, truth, posting threads, life, faults; and how to begin anew."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from sandbox.store import catalogue, dates
from sandbox.store.faults import Faults
from sandbox.store.journal import Journal
from sandbox.store.life.agenda import Agenda
from sandbox.store.life.run import Life
from sandbox.store.people import Townsfolk
from sandbox.store.shop.desk import Shop
from sandbox.store.state import State
from sandbox.store.switches import Switches
from sandbox.store.telling.firing import Firing
from sandbox.store.telling.herald import Herald, Style
from sandbox.store.telling.truth import Truth


@dataclass(frozen=True)
class Options:
    """What a store is born with."""

    client_id: str
    client_secret: str
    seed: int = 1
    start: str = "2026-03-01T09:00:00Z"


@dataclass(frozen=True)
class Clocks:
    """Real time: for records, and for rates."""

    wall: Callable[[], float]
    steady: Callable[[], float]


class World:
    """Owned by the application; `reset` replaces all parts but the options' keys."""

    def __init__(self, options: Options, clocks: Clocks) -> None:
        self.options = options
        self.clocks = clocks
        self._begin()

    def _begin(self) -> None:
        rng = random.Random(f"{self.options.seed} store")
        self.switches = Switches()
        self.faults = Faults(self.clocks.steady)
        self.journal = Journal()
        self.state = State(dates.seconds(self.options.start), self.switches)
        self.truth = Truth()
        self.folk = Townsfolk()
        self.agenda = Agenda()
        style = Style(random.Random(f"{self.options.seed} wire"))
        self.herald = Herald(self.state, self.truth, Firing(self.truth, self.clocks.wall), style)
        self.shop = Shop(self.state, self.herald, self.folk, rng)
        self.life = Life(self.state, self.herald, self.truth, self.folk, self.agenda)
        catalogue.stock_shelves(self.state, rng)

    def stop(self) -> None:
        self.life.stop()
        self.herald.firing.stop()

    def reset(self, seed: int | None = None) -> None:
        self.stop()
        self.options = replace(self.options, seed=self.options.seed if seed is None else seed)
        self._begin()
