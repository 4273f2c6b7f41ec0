"""Celery's consumer as we need it: without its machinery for delayed messages, without discarding any, less chatty.

Ours never wait in the broker, but in the ledger. With quorum queues Celery would set up 28 more queues for it, and
complain when a worker of other queues starts first.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from celery.worker.consumer import Consumer

from tasks.process import get_process_context
from tasks.worker import unknown_tasks

log = logging.getLogger(__name__)  # as Celery's own functions expect it

EVENT_FLUSH_INTERVAL_S = 0.5  # seconds: one message for each event was two fifths of what a worker's main process did
DELAYED_DELIVERY_STEP = "celery.worker.consumer.delayed_delivery:DelayedDelivery"


class WorkerConsumer(Consumer):  # type: ignore[misc]  # Celery ships no types
    """What runs inside a worker and takes messages from the broker."""

    _flush_at = 0.0

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc]
        default_steps = [step for step in Consumer.Blueprint.default_steps if step != DELAYED_DELIVERY_STEP]  # noqa: RUF012

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:  # noqa: ARG002 Celery's signature
        """Park it. What cannot be parked either is only a hint: the inbox and the ledger hold what it was about."""
        if unknown_tasks.hold(get_process_context().redis, message):
            message.ack_log_error(log, self.connection_errors)
        else:
            message.reject_log_error(log, self.connection_errors)

    def on_send_event_buffered(self) -> None:
        """Tell flower of all events of half a second together. (Celery itself sends every 24 of them at once.)"""
        now = time.monotonic()
        if self.hub and now >= self._flush_at:
            self._flush_at = now + EVENT_FLUSH_INTERVAL_S
            self.hub.call_later(EVENT_FLUSH_INTERVAL_S, self._flush_events)
