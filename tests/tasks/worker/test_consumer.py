"""How often a worker tells flower what it does."""

from __future__ import annotations

from kombu.asynchronous.hub import Hub

from tasks.worker.consumer import EVENT_FLUSH_INTERVAL_S, WorkerConsumer


class Telling(WorkerConsumer):
    """One that only counts how often it tells."""

    def __init__(self, hub: Hub | None) -> None:
        self.hub = hub
        self.told = 0

    def _flush_events(self) -> None:
        self.told += 1


def test_events_that_come_together_are_told_together():
    consumer = Telling(hub := Hub())

    for _ in range(10):
        consumer.on_send_event_buffered()
    wait_out(hub)

    assert consumer.told == 1


def test_an_event_after_that_is_told_too():
    consumer = Telling(hub := Hub())
    consumer.on_send_event_buffered()
    wait_out(hub)

    consumer._flush_at -= EVENT_FLUSH_INTERVAL_S
    consumer.on_send_event_buffered()
    wait_out(hub)

    assert consumer.told == 2


def test_without_an_event_loop_nobody_is_told_later():
    consumer = Telling(None)

    consumer.on_send_event_buffered()

    assert consumer.told == 0


def wait_out(hub: Hub) -> None:
    """Run what is due by then, as if the time had passed."""
    due = [scheduled.entry for scheduled in hub.timer.queue]
    hub.timer.clear()
    for entry in due:
        entry()
