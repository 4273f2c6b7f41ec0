"""Counts and tells what one send of a lane came to."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from pipeline.core.messages import ConnectionBroken, Message, Outcome, Rejected, Reply, RetryAfter, Sent
from pipeline.infra import metrics

log = structlog.get_logger(__name__)

_US_PER_SECOND = 1_000_000
_POSTPONED = "put_off"
_OUTCOME_LABELS: dict[type[Outcome], str] = {Sent: "sent", Rejected: "dead"}


def record_send(connection_id: int, messages: Sequence[Message], reply: Reply, now: int) -> None:
    """Every outcome and every call; the time it took for what has arrived."""
    wire = str(connection_id)
    became: dict[str, dict[int, int | None]] = {}  # delivery -> the event it is told for
    for message, outcome in zip(messages, reply.outcomes, strict=True):
        word = _OUTCOME_LABELS.get(type(outcome), _POSTPONED)
        became.setdefault(word, {})[message.delivery_id] = message.event_id
        if isinstance(outcome, Sent) and message.written_at:
            _DELIVERY_STAGE.observe(max(0, now - message.written_at) / _US_PER_SECOND)
    for word, ids in became.items():
        metrics.DELIVERIES.labels(wire, word).inc(len(ids))
    for call in reply.calls:
        metrics.CALLS.labels(wire, str(call.status or "none")).inc()
        metrics.CALL_SECONDS.labels(wire).observe(call.duration_us / _US_PER_SECOND)
    stop = find_stop(reply)
    why = {"reason": stop.reason} if stop else {}
    log.info("deliveries tried", calls=[call.status for call in reply.calls], **became, **why)
    if isinstance(stop, ConnectionBroken):
        log.warning("a connection is paused", connection=connection_id, **why)


def find_stop(reply: Reply) -> RetryAfter | ConnectionBroken | None:
    """What keeps the lane from going on, if anything does."""
    return next((one for one in reply.outcomes if isinstance(one, RetryAfter | ConnectionBroken)), None)


def record_wait(connection_id: int, seconds: float) -> None:
    """The lane waits for its account's budget."""
    metrics.BUDGET_WAITS.labels(str(connection_id)).inc()
    metrics.BUDGET_WAIT_SECONDS.labels(str(connection_id)).inc(seconds)


_DELIVERY_STAGE = metrics.STAGE_SECONDS.labels("deliver")
