"""A store as a whole: state, truth, sending threads, simulation and faults; and its reset."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox.store import catalogue, dates
from sandbox.store.fake_people import PersonGenerator
from sandbox.store.faults import Faults
from sandbox.store.request_log import RequestLog
from sandbox.store.shop import surveys
from sandbox.store.shop.shop import Shop
from sandbox.store.simulation.run import Simulation
from sandbox.store.simulation.schedule import Schedule
from sandbox.store.state import State
from sandbox.store.switches import Switches
from sandbox.store.webhooks.dispatcher import DispatchOptions, WebhookDispatcher
from sandbox.store.webhooks.sender_pool import SenderPool
from sandbox.store.webhooks.truth import Truth


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
        self.journal = RequestLog()
        self.state = State(dates.seconds(self.options.start), self.switches)
        self.truth = Truth()
        self.person_generator = PersonGenerator()
        self.schedule = Schedule()
        style = DispatchOptions(random.Random(f"{self.options.seed} wire"))
        self.dispatcher = WebhookDispatcher(self.state, self.truth, SenderPool(self.truth, self.clocks.wall), style)
        self.shop = Shop(self.state, self.dispatcher, self.person_generator, rng)
        self.simulation = Simulation(self.state, self.dispatcher, self.truth, self.person_generator, self.schedule)
        catalogue.create_catalogue(self.state, rng)
        surveys.create_survey(self.state)

    def set_switches(self, wanted: Mapping[str, Any]) -> None:
        """Set switches, and what depends on them: names that leave no doubt whose they are, and variants."""
        with self.state.lock:
            self.switches.update(wanted)
            self.person_generator.marks_names = self.person_generator.marks_names or self.switches.marketplace_share > 0
            if "variants" in wanted:
                catalogue.set_variants(self.state, self.shop.rng, self.switches.variants)

    def stop(self) -> None:
        self.simulation.stop()
        self.dispatcher.pool.stop()

    def reset(self, seed: int | None = None) -> None:
        self.stop()
        self.options = replace(self.options, seed=self.options.seed if seed is None else seed)
        self._begin()
