"""What a lane is handed: where its messages go, how fast they may, and what one run reports."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, Protocol

from pipeline.context import Context
from pipeline.destinations.base import Destination

LANE_LEASE_MS = 8_000  # how long a lane rests when its holder is killed; a living one renews it, however slow a call is

StopReason = Literal["held", "empty", "deadline", "waiting", "yields", "paused", "lost"]


class RateBudget(Protocol):
    """What all processes together may ask of one account."""

    def acquire(self, cost: int = 1) -> float:
        """0.0: go. Otherwise the seconds to wait; nothing was taken."""

    def pause(self, seconds: float | None) -> object:
        """The platform told us to slow down, for so long or without saying for how long."""

    def rest(self, seconds: float) -> object:
        """The platform named a time before which nobody is to ask; nothing was said of the rate."""

    def record_success(self) -> None:
        """A send went through: the rate may creep back up."""


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """An open connection: where to send, and how fast. `share`: of that, what gives way to live hooks may use."""

    destination: Destination
    budget: RateBudget
    share: RateBudget


@dataclass(frozen=True, slots=True)
class LaneDeps:
    """What a lane needs beside the context."""

    context: Context
    open_connection: Callable[[int], OpenConnection]  # by connection id
    around_call: Callable[[], AbstractContextManager[None]] = nullcontext  # around each send: it may take long
    should_yield: Callable[[], bool] = lambda: False  # whether to leave after a send, as if time were up
    lease_ms: int = LANE_LEASE_MS


@dataclass(frozen=True, slots=True)
class LaneReport:
    """What one run did and why it stopped. `next_attempt_at` (µs) is set while the lane waits.

    held: somebody else is at it and looks again before leaving. lost: somebody else has taken over.
    deadline: there may be more; run it again. yields: only what gives way is left, and has had its share for now; the
    sweep comes back for it, and live news need not wait for that. paused: the connection is broken until somebody
    mends it.
    """

    stopped: StopReason
    sent: int = 0
    rejected: int = 0
    calls: int = 0
    next_attempt_at: int | None = None
