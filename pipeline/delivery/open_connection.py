"""The types of a lane: its dependencies, the opened connection with its rate budgets, and the report of a run."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, Protocol

from pipeline.context import Context
from pipeline.destinations.base import Destination
from pipeline.ledger.connections import ConnectionRow
from pipeline.ledger.deliveries import LaneId
from pipeline.mapping.rules import AS_IT_IS, ConnectionMapping

LANE_LEASE_MS = 8_000  # how long a lane waits after its holder was killed; a living holder renews the lease

StopReason = Literal["held", "empty", "deadline", "waiting", "yields", "paused", "lost"]


class RateBudget(Protocol):
    """The rate at which all processes together may call one account."""

    def acquire(self, cost: int = 1) -> float:
        """Take `cost` calls and return 0.0, or take nothing and return the seconds to wait."""

    def pause(self, seconds: float | None) -> object:
        """Record a refusal for the rate: pause for so long (None: the platform did not say how long) and slow down."""

    def hold_off(self, seconds: float) -> object:
        """Make no call for so long: the platform named a time, but said nothing about the rate."""

    def record_success(self) -> None:
        """Record a successful send: the rate may recover."""


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """Where a connection's messages go, and how fast. `backfill_budget` is the part of `budget` left to backfills.

    take_slot: entered for each send; gives whether the account allows one more in progress.
    """

    destination: Destination
    budget: RateBudget
    backfill_budget: RateBudget
    mapping: ConnectionMapping = AS_IT_IS
    take_slot: Callable[[], AbstractContextManager[bool]] = lambda: nullcontext(True)  # noqa: FBT003


@dataclass(frozen=True, slots=True)
class SendCall:
    """One lane's send. `make` keeps what came of it.

    note_late: called if others go on without it; then `finish_late` is called in the thread of the send when it ends.
    """

    make: Callable[[], None]
    note_late: Callable[[], None]
    finish_late: Callable[[], None]


def call_in_turn(calls: Sequence[SendCall]) -> Generator[list[int], None, None]:
    """Make the calls one after another; yields their positions."""
    for call in calls:
        call.make()
    yield list(range(len(calls)))


@dataclass(frozen=True, slots=True)
class LaneDeps:
    """What lanes need besides the context.

    call_all: makes the lanes' sends, side by side if it can, and yields the positions of those that have ended, soon
    after they have. Those that it never yields are late, or were not made.
    on_late: is given what became of a lane whose send was late.
    """

    context: Context
    open_connection: Callable[[ConnectionRow], OpenConnection]
    call_all: Callable[[Sequence[SendCall]], Generator[list[int], None, None]] = call_in_turn
    on_late: Callable[[LaneId, LaneReport | Exception], None] = lambda *_: None
    around_call: Callable[[], AbstractContextManager[None]] = nullcontext  # entered for each send, which may take long
    should_yield: Callable[[], bool] = lambda: False  # whether to stop after a send, as at the deadline
    lease_ms: int = LANE_LEASE_MS


@dataclass(frozen=True, slots=True)
class LaneReport:
    """What one run did and why it stopped. `next_attempt_at` (µs) is set while the lane waits.

    held: another task holds the lane, and checks for new messages before it releases it.
    lost: another task has taken the lane over.
    deadline: time is up and there may be more; run the lane again.
    yields: only backfill messages are left and their rate share is used up; the sweep runs the lane again.
    paused: the platform refuses the connection; it stays paused until it is resumed.
    """

    stopped: StopReason
    sent: int = 0
    rejected: int = 0
    calls: int = 0
    next_attempt_at: int | None = None
