"""Metrics and log lines of a lane's sends."""

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
    """Count and log the outcome of every message and every call; observe the delivery time of what was sent."""
    connection = str(connection_id)
    ids_by_outcome: dict[str, dict[int, int | None]] = {}  # label -> delivery -> its event
    for message, outcome in zip(messages, reply.outcomes, strict=True):
        label = _OUTCOME_LABELS.get(type(outcome), _POSTPONED)
        ids_by_outcome.setdefault(label, {})[message.delivery_id] = message.event_id
        if isinstance(outcome, Sent) and message.written_at:
            _DELIVERY_STAGE.observe(max(0, now - message.written_at) / _US_PER_SECOND)
    for label, ids in ids_by_outcome.items():
        metrics.DELIVERIES.labels(connection, label).inc(len(ids))
    for call in reply.calls:
        metrics.CALLS.labels(connection, str(call.status or "none")).inc()
        metrics.CALL_SECONDS.labels(connection).observe(call.duration_us / _US_PER_SECOND)
    stop = find_stop(reply)
    reason = {"reason": stop.reason} if stop else {}
    log.info("deliveries tried", calls=[call.status for call in reply.calls], **ids_by_outcome, **reason)
    if isinstance(stop, ConnectionBroken):
        log.warning("a connection is paused", connection=connection_id, **reason)


def find_stop(reply: Reply) -> RetryAfter | ConnectionBroken | None:
    """Return the outcome that stops the lane, or None."""
    return next((outcome for outcome in reply.outcomes if isinstance(outcome, RetryAfter | ConnectionBroken)), None)


def record_wait(connection_id: int, seconds: float) -> None:
    """Count a lane's wait for its account's rate budget."""
    metrics.BUDGET_WAITS.labels(str(connection_id)).inc()
    metrics.BUDGET_WAIT_SECONDS.labels(str(connection_id)).inc(seconds)


_DELIVERY_STAGE = metrics.STAGE_SECONDS.labels("deliver")
