"""Does what a plan says, and lets everyone else do what the day brings."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from bench.year.batches import Batches
from bench.year.exceptions import Exceptions
from bench.year.hands import NothingToDo
from bench.year.lists import Lists
from bench.year.packers import Packers
from bench.year.people import People
from bench.year.plan import Step
from bench.year.sheets import Sheets
from bench.year.shop import Shop
from bench.year.trouble import Trouble
from bench.year.truth import Truth
from bench.year.watch import PARTS_S, Watch
from bench.year.world import DAY, Year

SLICE_S = DAY  # of a longer time: then the lanes have worked, and the packers have packed
CALM_S = 24 * DAY  # within which everything that is under way has come to its end
CALM_SLICES = 8
MAX_DECISIONS = 6  # of people about one box, such as to send it again and to write its tracking


class Acts(Shop, Packers, Trouble, People, Sheets):
    """Does one step after another, and has the truth written down that the world itself would forget."""

    is_calm = False

    def __init__(self, year: Year, truth: Truth) -> None:
        super().__init__(year, truth)
        self.watch = Watch(truth)
        self.lists = Lists(truth, self.watch)
        self.batches = Batches(truth, self.watch)
        self.exceptions = Exceptions(truth, self.watch)

    def do(self, step: Step) -> None:
        """Do what the step says, if there is something to do it to; then let its time pass."""
        act: Callable[[Step], object] = getattr(self, step.act)
        self.year.skip(1)
        with suppress(NothingToDo):
            act(step)
            self.done[step.act] = self.done.get(step.act, 0) + 1
        if step.how % 3:
            self.year.deliver_hooks()
        else:
            self.year.lose_hooks()
        self.settle()
        self.wait(step.after_s)

    def wait(self, seconds: float, slice_s: float = SLICE_S) -> None:
        """Let time pass; everyone does what is due."""
        while seconds > 0:
            part = min(seconds, slice_s)
            seconds -= part
            self.year.skip(part)
            for name in [name for name, end in self.ends.items() if end <= self.year.now]:
                self.end(name)
            if not self.is_calm:
                self.renew()
            self.pack()
            self.number_late()
            self.settle()
            if self.year.exchanges_files:
                self.exchange_files()
                self.settle()

    def settle(self) -> None:
        """Let the workers do what is due."""
        self.year.settle()
        self.watch.look()
        self.batches.tend()

    def compare(self, *, is_healthy: bool = False) -> list[str]:
        """What the fulfilment says otherwise than it is, after two hours in which nothing happens."""
        for part in PARTS_S:
            self.year.skip(part)
            self.settle()
        lists = self.lists.find_any() if is_healthy else self.lists.compare()
        return [*lists, *self.batches.compare(), *self.exceptions.compare()]

    def calm(self) -> None:
        """End every trouble, for good."""
        for name in list(self.ends):
            self.end(name)
        self.year.wire.blow, self.year.rate_limits, self.is_calm = None, 0, True
        self.year.lost_pushes.clear()
        self.year.store.faults.clear()
        self.year.floor.faults.clear()
        self.resume()
        self.wait(CALM_S, CALM_S / CALM_SLICES)

    def clear(self) -> None:
        """Have people decide about all that waits for them, and the rest done, until nothing is left to decide."""
        for _ in range(MAX_DECISIONS):
            if not self.attend_all():
                return
            self.wait(CALM_S / 2, CALM_S / CALM_SLICES)
