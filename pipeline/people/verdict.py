"""Why an event was sent about a person to a platform, or was not: from what is known to the cause, by a table.

It is asked from both ends: from the person about their events, and from the event about the people whom it concerns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.core.consent import WITHHELD_REASONS
from pipeline.people.causes import Cause, Verdict, build_verdict, format_date, format_span

_US_PER_S = 1_000_000
_RATE_REASONS = ("rate budget", "answered 429")  # of a lane or a message that waits for the account's rate


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCase:
    """One event and one person whom it concerns. `reason`: why the person gets no message, if they get none."""

    name: str
    outcome: str
    reason: str | None
    occurred_at: int
    received_at: int
    is_recovered: bool = False
    is_withheld: bool = True  # by now, if `reason` is one for which people are withheld
    is_no_event: bool = False  # a profile that a reading of Cratejoy's customers has written: no hook came
    has_other_recipient: bool = False  # the gift that they were to receive has another recipient by now


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCase:
    """The message that takes the event to one platform, and what its lane and its connection are doing. Times are µs.

    was_limited: the platform refused another call for its rate at nearly the time at which it accepted this one.
    campaign_limit_s: how old an event may be to start a campaign there; None: as old as it likes.
    """

    platform: str  # as people read it
    status: str
    reason: str | None = None
    detail: str | None = None
    created_at: int = 0
    done_at: int | None = None
    paused_since: int | None = None
    paused_because: str | None = None
    lane_attempts: int = 0  # failures in a row
    lane_reason: str | None = None
    failing_since: int | None = None
    next_attempt_at: int = 0
    was_limited: bool = False
    campaign_limit_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingCase:
    """What Cratejoy shows of a person and no hook has reported, or a hook that names them and could not be read.

    `subject`: "order 7118". `at`: when it happened, or when the hook arrived.
    """

    subject: str
    cause: Cause
    at: int | None = None
    reason: str | None = None
    is_from_api: bool = True  # else another hook names it


_MESSAGE_CHECKS: tuple[tuple[Cause, Callable[[EventCase, MessageCase, int], bool]], ...] = (
    ("may_be_dropped", lambda _, message, _now: _is_sent(message) and message.was_limited),
    ("sent_and_superseded", lambda event, message, _: _is_sent(message) and event.has_other_recipient),
    ("sent_too_old", lambda event, message, _: _is_sent(message) and _was_too_old(event, message)),
    ("recovered", lambda event, message, _: _is_sent(message) and event.is_recovered),
    ("sent", lambda _, message, _now: _is_sent(message)),
    ("refused", lambda _, message, _now: message.status == "dead"),
    ("erased", lambda _, message, _now: message.status == "stopped"),
    ("waiting_paused", lambda _, message, _now: message.paused_since is not None),
    ("sending", lambda _, message, _now: message.status == "sending"),
    ("waiting_rate", lambda _, message, now: message.next_attempt_at > now and _is_limited(message)),
    ("waiting_retry", lambda _, message, _now: message.lane_attempts > 0),
    ("waiting_turn", lambda _, _message, _now: True),
)
_BY_OUTCOME: dict[str, Cause] = {
    "recorded": "switched_off",
    "test": "test",
    "unknown_event": "unknown_event",
    "suppressed": "erased",
}
_BY_REASON: dict[str, Cause] = {"no_email": "no_address", "email_malformed": "malformed_address"}


def judge(event: EventCase, messages: Sequence[MessageCase], now: int) -> list[Verdict]:
    """One verdict for each platform that a message was written for; else the one that holds for all of them."""
    if messages:
        return [_judge_message(event, message, now) for message in messages]
    values = {"event": event.name.replace("_", " "), "received_at": event.received_at}
    cause = _find_cause(event)
    return [build_verdict(cause, values, lead=_build_lead(event, cause))]


def judge_missing(case: MissingCase) -> Verdict:
    """The verdict on what no event is recorded of."""
    values = {
        "subject": case.subject[:1].upper() + case.subject[1:] if case.cause == "before_connection" else case.subject,
        "dated": "" if case.at is None else f" of {format_date(case.at)}",
        "witness": "Cratejoy's API" if case.is_from_api else "another hook",
        "why": (case.reason or "").replace("_", " "),
        "at": case.at,
    }
    return build_verdict(case.cause, values)


def _judge_message(event: EventCase, message: MessageCase, now: int) -> Verdict:
    if message.status == "withheld":
        cause: Cause = _find_withheld(message.reason) or "withheld_marketplace"
    else:
        cause = next(cause for cause, holds in _MESSAGE_CHECKS if holds(event, message, now))
    done_at = message.done_at or now
    values = {
        "platform": message.platform,
        "created_at": message.created_at,
        "done_at": done_at,
        "received_at": event.received_at,
        "after": "" if event.is_no_event else f", {format_span(done_at - event.received_at)} after the hook arrived",
        "age": format_span(done_at - event.occurred_at),
        "limit": format_span((message.campaign_limit_s or 0) * _US_PER_S),
        "why": _find_why(message, cause),
        "attempts": "once" if message.lane_attempts == 1 else f"{message.lane_attempts} times",
        "failing_since": message.failing_since or message.created_at,
        "next_attempt_at": max(message.next_attempt_at, now),
        "paused_since": message.paused_since,
    }
    return build_verdict(cause, values, message.platform, _build_lead(event, cause))


def _find_cause(event: EventCase) -> Cause:
    """Why no message was written for the person."""
    if event.has_other_recipient:
        return "superseded"
    if event.outcome == "recorded" and event.is_recovered:
        return "recorded_only"
    kept = _BY_OUTCOME.get(event.outcome)
    if kept is not None:
        return kept
    reason = event.reason or ("no_email" if event.outcome == "nobody" else "")
    withheld = _find_withheld(reason)
    if withheld is not None and not event.is_withheld:
        return "withheld_before"
    known = withheld or _BY_REASON.get(reason)
    return known or ("no_connection" if event.outcome == "no_connection" else "no_message")


def _find_withheld(reason: str | None) -> Cause | None:
    return next((known for known in WITHHELD_REASONS if known == reason), None)


def _is_sent(message: MessageCase) -> bool:
    return message.status == "sent"


def _was_too_old(event: EventCase, message: MessageCase) -> bool:
    limit = message.campaign_limit_s
    return limit is not None and (message.done_at or 0) - event.occurred_at > limit * _US_PER_S


def _is_limited(message: MessageCase) -> bool:
    return any(text in (message.lane_reason or "") for text in _RATE_REASONS)


def _find_why(message: MessageCase, cause: Cause) -> str:
    if cause == "waiting_paused":
        because = message.paused_because or "paused by hand"
        return "by hand" if because == "paused by hand" else f"because {because}"
    if cause == "waiting_retry":
        reason = message.lane_reason or "does not answer"
        return f"{message.platform} {reason}" if reason.startswith(("answered ", "does ")) else reason
    return message.detail or (message.reason or "it gave no reason").replace("_", " ")


def _build_lead(event: EventCase, cause: Cause) -> str:
    says_so = cause in ("recovered", "recorded_only")
    return "" if says_so or not event.is_recovered else "The hook never arrived; Cratejoy's API showed the event. "
