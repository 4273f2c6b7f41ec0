"""Celery's consumer without delayed messages, without discarding unknown ones, and with fewer event messages.

Our messages wait in the ledger, never in the broker. For delayed messages Celery would set up 28 more queues with
quorum queues, and complain when a worker of other queues starts first.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from celery.worker.consumer import Consumer

from tasks.process import get_process_context
from tasks.worker import unknown_tasks

log = logging.getLogger(__name__)  # as Celery's own functions expect it

EVENT_FLUSH_INTERVAL_S = 0.5  # a message for each event was two fifths of the work of a worker's main process
DELAYED_DELIVERY_STEP = "celery.worker.consumer.delayed_delivery:DelayedDelivery"


class WorkerConsumer(Consumer):  # type: ignore[misc]  # Celery ships no types
    """Takes messages from the broker in a worker's main process."""

    _flush_at = 0.0

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc]
        default_steps = [step for step in Consumer.Blueprint.default_steps if step != DELAYED_DELIVERY_STEP]  # noqa: RUF012

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:  # noqa: ARG002 Celery's signature
        """Hold the message. If that fails, reject it: the work it asked for is in the inbox or the ledger."""
        if unknown_tasks.hold(get_process_context().redis, message):
            message.ack_log_error(log, self.connection_errors)
        else:
            message.reject_log_error(log, self.connection_errors)

    def on_send_event_buffered(self) -> None:
        """Send the events of half a second to flower together. (Celery itself sends them in groups of 24.)"""
        now = time.monotonic()
        if self.hub and now >= self._flush_at:
            self._flush_at = now + EVENT_FLUSH_INTERVAL_S
            self.hub.call_later(EVENT_FLUSH_INTERVAL_S, self._flush_events)
