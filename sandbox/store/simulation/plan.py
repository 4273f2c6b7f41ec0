"""The parameters of a simulation: number of hooks, seed, rate and oddities."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from sandbox.store.switches import is_count
from sandbox.store.webhooks.mix import Mix

MAX_THREADS = 32


class BadPlan(ValueError):
    """A plan that cannot be simulated."""


@dataclass(frozen=True)
class SimulationPlan:
    """`rate` is hooks per second; None means as fast as they are accepted."""

    hooks: int
    seed: int = 1
    rate: float | None = None
    threads: int = 4
    retries: int = 0
    timeout: float = 10.0
    mix: Mix = field(default_factory=Mix)

    @classmethod
    def of(cls, wanted: Mapping[str, Any]) -> "SimulationPlan":
        unknown = set(wanted) - {field.name for field in fields(cls)}
        if unknown:
            raise BadPlan(f"a life has no {', '.join(sorted(unknown))}")
        plan = cls(**{**wanted, "mix": Mix.of(wanted.get("mix") or {}), "hooks": wanted.get("hooks", 0)})
        plan.check()
        return plan

    def check(self) -> None:
        if not is_count(self.hooks):
            raise BadPlan("hooks is a whole number above zero")
        if not is_count(self.threads) or self.threads > MAX_THREADS:
            raise BadPlan(f"threads lies between 1 and {MAX_THREADS}")
        if not (self.retries == 0 or is_count(self.retries)):
            raise BadPlan("retries is a whole number")
        if not all(is_positive(value) for value in (self.timeout, self.rate) if value is not None):
            raise BadPlan("rate and timeout are numbers above zero")


def is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


class Pace:
    """The time of the next hook: at a rate, or at once."""

    def __init__(self, rate: float | None, clock: Callable[[], float]) -> None:
        self._gap = 1 / rate if rate else 0.0
        self._next = clock()

    def next_due(self) -> float:
        due = self._next
        self._next += self._gap
        return due

    def ahead(self, now: float) -> float:
        """How many seconds of hooks are already planned."""
        return self._next - now if self._gap else 0.0
