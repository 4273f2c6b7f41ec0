"""A destination and a budget that follow a script, and record what they were asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from pipeline.core.form_fields import Field
from pipeline.core.messages import CallRecord, ForgetMode, Identifiers, Message, Outcome, Reply, Sent
from pipeline.destinations.base import CheckResult

Behaviour = Callable[[Sequence[Message]], Reply]


def reply(outcomes: Sequence[Outcome], *statuses: int) -> Reply:
    calls = (CallRecord("POST", "/batch", status, 1, 1, len(outcomes)) for status in statuses or (200,))
    return Reply(tuple(outcomes), tuple(calls))


def always(outcome: Outcome, *statuses: int) -> Behaviour:
    return lambda messages: reply([outcome] * len(messages), *statuses)


class ScriptedDestination:
    """Accepts everything, unless `next` says otherwise."""

    platform: ClassVar[str] = "scripted"
    title: ClassVar[str] = "Scripted"
    steps: ClassVar[tuple[str, ...]] = ()
    fields: ClassVar[tuple[Field, ...]] = ()
    max_items: ClassVar[int] = 4
    calls_per_second: ClassVar[float] = 10.0
    calls_at_once: ClassVar[tuple[str, int] | None] = None
    campaign_age_s: ClassVar[int | None] = None
    forget_modes: ClassVar[tuple[ForgetMode, ...]] = ("delete", "suppress")
    campaign_limit_s: ClassVar[int | None] = None
    address_change_help: ClassVar[str] = ""

    def __init__(self, config: Mapping[str, str] | None = None) -> None:
        self.config = config or {}
        self.next: deque[Behaviour] = deque()
        self.next_forget: deque[Outcome] = deque()
        self.sends: list[list[Message]] = []
        self.forgotten: list[tuple[Identifiers, ForgetMode, int]] = []  # with the number of sends before it

    def check(self) -> CheckResult:
        return CheckResult("scripted", {})

    def send(self, messages: Sequence[Message]) -> Reply:
        self.sends.append(list(messages))
        behave = self.next.popleft() if self.next else always(Sent())
        return behave(messages)

    def forget(self, identifiers: Identifiers, mode: ForgetMode) -> Reply:
        self.forgotten.append((identifiers, mode, len(self.sends)))
        return reply([self.next_forget.popleft() if self.next_forget else Sent()])

    @property
    def sent_ids(self) -> list[list[int]]:
        return [[message.delivery_id for message in messages] for messages in self.sends]


class ScriptedBudget:
    """Lets everything through, unless `waits` says otherwise."""

    def __init__(self) -> None:
        self.waits: deque[float] = deque()
        self.costs: list[int] = []
        self.pauses: list[float | None] = []
        self.hold_offs: list[float] = []
        self.successes = 0

    def acquire(self, cost: int = 1) -> float:
        self.costs.append(cost)
        return self.waits.popleft() if self.waits else 0.0

    def pause(self, seconds: float | None) -> None:
        self.pauses.append(seconds)

    def hold_off(self, seconds: float) -> None:
        self.hold_offs.append(seconds)

    def record_success(self) -> None:
        self.successes += 1
