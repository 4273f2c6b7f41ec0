"""Reconnects to the broker at shorter intervals. Celery waits two seconds longer after every failure, up to thirty."""

from __future__ import annotations

from typing import Any

from celery.app.amqp import AMQP
from kombu.connection import Connection

INTERVAL_START_S = 0.5  # between the first two attempts
INTERVAL_STEP_S = 0.5
INTERVAL_MAX_S = 3.0  # so a worker consumes again within seconds of the broker's return, however long it was down


class FastReconnectConnection(Connection):
    """A connection of a worker or of beat, which can only wait for the broker."""

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Any:
        intervals = {
            "interval_start": INTERVAL_START_S,
            "interval_step": INTERVAL_STEP_S,
            "interval_max": INTERVAL_MAX_S,
        }
        return super().ensure_connection(*args, **{**intervals, **kwargs})  # type: ignore[no-untyped-call]


class FastReconnectAMQP(AMQP):  # type: ignore[misc]  # Celery ships no types
    """Celery's factory of connections."""

    Connection = FastReconnectConnection
    BrokerConnection = FastReconnectConnection
