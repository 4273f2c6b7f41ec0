"""A worker process adds what it counts to the totals, again and again and at its end."""

from __future__ import annotations

import threading

import structlog
from redis import ConnectionError as RedisAway

from tasks.worker.metrics import PublisherThread

SOON, NEVER = 0.01, 3600.0


class Part:
    """What a process has counted, as far as sharing knows it."""

    def __init__(self, times_away=0):
        self.added = 0
        self.seen = threading.Event()
        self._away = times_away

    def publish(self):
        if self._away:
            self._away -= 1
            raise RedisAway
        self.added += 1
        self.seen.set()


def test_it_is_added_while_the_process_works():
    part = Part()
    sharing = PublisherThread(part, SOON)

    sharing.start()

    assert part.seen.wait(60)
    sharing.stop()


def test_the_rest_is_added_at_the_end():
    part = Part()
    sharing = PublisherThread(part, NEVER)

    sharing.start()
    sharing.stop()

    assert part.added == 1


def test_while_redis_is_away_it_goes_on_trying():
    part = Part(times_away=3)
    sharing = PublisherThread(part, SOON)

    with structlog.testing.capture_logs():
        sharing.start()
        added = part.seen.wait(60)
        sharing.stop()

    assert added
