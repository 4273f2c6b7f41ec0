"""Celery's consumer without its machinery for delayed messages: ours never wait in the broker, but in the ledger.

With quorum queues Celery would set up 28 more queues for it, and complain when a worker of other queues starts first.
"""

from __future__ import annotations

from celery.worker.consumer import Consumer

DELAYED = "celery.worker.consumer.delayed_delivery:DelayedDelivery"


class PromptConsumer(Consumer):  # type: ignore[misc]  # Celery ships no types
    """What runs inside a worker and takes messages from the broker."""

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc]
        default_steps = [step for step in Consumer.Blueprint.default_steps if step != DELAYED]  # noqa: RUF012
