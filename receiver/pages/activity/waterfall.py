"""Where the time of one event went: waiting and work apart, every attempt of its own; the parts add up to the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.ledger.queries import CallDetail, DeliveryDetail, EventDetail

Kind = Literal["waiting", "work"]


@dataclass(frozen=True, slots=True)
class Bar:
    """A span of time in which the event waited or was worked on. Times are µs."""

    label: str
    kind: Kind
    begun_at: int
    ended_at: int

    @property
    def duration_us(self) -> int:
        return self.ended_at - self.begun_at


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The bars of an event, in the order in which they began, and the span they share."""

    bars: Sequence[Bar]
    begun_at: int
    ended_at: int

    @property
    def whole_us(self) -> int:
        return self.ended_at - self.begun_at

    @property
    def working_us(self) -> int:
        """How long anything was worked on: several messages at the same time count once."""
        done, reached = 0, self.begun_at
        for bar in sorted(self.bars, key=lambda bar: bar.begun_at):
            if bar.kind == "work":
                done += max(0, bar.ended_at - max(bar.begun_at, reached))
                reached = max(reached, bar.ended_at)
        return done

    @property
    def waiting_us(self) -> int:
        """The rest: nothing was worked on."""
        return self.whole_us - self.working_us

    def left(self, bar: Bar) -> float:
        """Where the bar begins, in percent of the whole."""
        return 100 * (bar.begun_at - self.begun_at) / self._divisor_us

    def width(self, bar: Bar) -> float:
        """How long the bar is, in percent of the whole."""
        return 100 * bar.duration_us / self._divisor_us

    @property
    def _divisor_us(self) -> int:
        return max(1, self.whole_us)


def build_waterfall(event: EventDetail, now: int) -> Waterfall:
    """Return the waterfall of an event: from its hook's arrival to the end of its last message, or until now."""
    summary = event.event
    bars = [
        Bar("in the inbox, and decoded", "waiting", summary.received_at, event.decoded_at),
        Bar("validated", "work", event.decoded_at, event.validated_at),
        Bar("recorded", "work", event.validated_at, summary.recorded_at),
    ]
    for delivery in event.deliveries:
        calls = [call for call in event.calls if delivery.id in call.delivery_ids]
        bars += _build_delivery_bars(delivery, calls, summary.recorded_at, now)
    bars = [bar for bar in bars if bar.duration_us >= 0]
    return Waterfall(bars, summary.received_at, max([summary.recorded_at, *(bar.ended_at for bar in bars)]))


def _build_delivery_bars(
    delivery: DeliveryDetail, calls: Sequence[CallDetail], recorded_at: int, now: int
) -> Iterator[Bar]:
    """Bars of a message: it waits, a call carries it, and so on with each attempt."""
    name = f"{delivery.kind} {delivery.id}"
    reached = max(delivery.created_at, recorded_at) if not calls else min(delivery.created_at, calls[0].started_at)
    for number, call in enumerate(calls, 1):
        yield Bar(f"{name} waits", "waiting", reached, call.started_at)
        reached = call.started_at + call.duration_us
        yield Bar(f"{name}, attempt {number}", "work", call.started_at, reached)
    if delivery.done_at is None:
        yield Bar(f"{name} waits", "waiting", reached, now)
