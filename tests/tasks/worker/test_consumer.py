"""How often a worker sends its events to flower."""

from __future__ import annotations

from kombu.asynchronous.hub import Hub

from tasks.worker.consumer import EVENT_FLUSH_INTERVAL_S, WorkerConsumer


class RecordingConsumer(WorkerConsumer):
    """A consumer that only counts how often it sends events."""

    def __init__(self, hub: Hub | None) -> None:
        self.hub = hub
        self.sent = 0

    def _flush_events(self) -> None:
        self.sent += 1


def test_events_that_come_together_are_sent_together():
    consumer = RecordingConsumer(hub := Hub())

    for _ in range(10):
        consumer.on_send_event_buffered()
    wait_out(hub)

    assert consumer.sent == 1


def test_a_later_event_is_sent_too():
    consumer = RecordingConsumer(hub := Hub())
    consumer.on_send_event_buffered()
    wait_out(hub)

    consumer._flush_at -= EVENT_FLUSH_INTERVAL_S
    consumer.on_send_event_buffered()
    wait_out(hub)

    assert consumer.sent == 2


def test_without_an_event_loop_nothing_is_sent_later():
    consumer = RecordingConsumer(None)

    consumer.on_send_event_buffered()

    assert consumer.sent == 0


def wait_out(hub: Hub) -> None:
    """Run what is due by then, as if the time had passed."""
    due = [scheduled.entry for scheduled in hub.timer.queue]
    hub.timer.clear()
    for entry in due:
        entry()
