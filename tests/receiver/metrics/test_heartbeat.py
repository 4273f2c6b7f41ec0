"""When heartbeats are sent, how their arrival is judged, and that failures do not stop the thread."""

from __future__ import annotations

import threading

import structlog

from pipeline.ledger.queries import HeartbeatArrival
from receiver.metrics.heartbeat import HeartbeatDeps, HeartbeatThread

SECOND = 1_000_000


class Body:
    """Counts the calls; those named in `away` fail."""

    def __init__(self, every=10.0):
        self.time = 1_772_470_000 * SECOND
        self.arrival = None
        self.away = set()
        self.done = []
        self.moved = threading.Event()
        self.heartbeat = HeartbeatThread(
            HeartbeatDeps(self._sender, self._looker, self._sharer), every, lambda: self.time
        )

    def _do(self, name):
        self.moved.set()
        if name in self.away:
            raise ConnectionError
        self.done.append(name)

    def _sender(self):
        self._do("send")

    def _looker(self):
        self._do("look")
        return self.arrival

    def _sharer(self):
        self._do("share")

    def run_once(self, after=0.0):
        self.time += round(after * SECOND)
        self.heartbeat.run_once()


def test_a_heartbeat_is_sent_at_once_and_then_every_so_often():
    body = Body(every=10.0)

    for after in (0, 5, 5, 5, 5):
        body.run_once(after)

    assert body.done.count("send") == 3
    assert body.done.count("share") == 5


def test_without_an_interval_none_is_sent_but_counts_are_shared():
    body = Body(every=0.0)

    body.run_once()

    assert body.done == ["look", "share"]


def test_the_chain_lives_while_they_arrive():
    body = Body(every=10.0)
    body.arrival = HeartbeatArrival(body.time - 2 * SECOND, body.time - SECOND)

    body.run_once()

    assert body.heartbeat.chain().alive
    assert body.heartbeat.chain().last_heartbeat_seconds == 1.0


def test_the_chain_is_dead_once_they_stay_away():
    body = Body(every=10.0)
    body.arrival = HeartbeatArrival(body.time, body.time)
    body.run_once()

    body.heartbeat.start()
    body.time += 31 * SECOND
    body.heartbeat.stop()

    assert body.heartbeat.chain().alive is False


def test_what_was_seen_last_holds_while_the_ledger_is_away():
    body = Body()
    body.arrival = HeartbeatArrival(body.time, body.time)
    body.run_once()
    body.away = {"look"}

    body.run_once(after=3)

    assert body.heartbeat.chain().last_heartbeat_seconds == 3.0


def test_a_failure_stops_nothing_else_and_is_logged_once():
    body = Body(every=10.0)
    body.away = {"send", "look"}

    with structlog.testing.capture_logs() as lines:
        body.run_once()
        body.run_once(after=10)

    assert body.done == ["share", "share"]
    assert [(line["work"], line["error"]) for line in lines] == [
        ("send", "ConnectionError"),
        ("load arrival", "ConnectionError"),
    ]


def test_its_thread_beats_and_the_end_shares_the_rest():
    body = Body()

    body.heartbeat.start()
    began = body.moved.wait(60)
    body.heartbeat.stop()

    assert began
    assert body.done[-1] == "share"
