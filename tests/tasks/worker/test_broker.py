"""Workers and beat reconnect to a lost broker every few seconds, however long it was away."""

from __future__ import annotations

import pytest

from tasks.app import app
from tasks.worker.broker import INTERVAL_MAX_S, FastReconnectConnection


class Enough(Exception):
    """Records the intervals between attempts."""


def test_no_wait_for_the_broker_is_long():
    waits: list[float] = []

    def note(_: Exception, interval: float) -> None:
        waits.append(interval)
        if len(waits) == 2:
            raise Enough

    with pytest.raises(Enough):
        FastReconnectConnection("redis://127.0.0.1:1/0").ensure_connection(note, None)

    assert max(waits) <= INTERVAL_MAX_S


def test_workers_and_beat_use_it(broker: None):
    with app.connection_for_read() as reading, app.connection_for_write() as writing:
        assert isinstance(reading, FastReconnectConnection)
        assert isinstance(writing, FastReconnectConnection)
