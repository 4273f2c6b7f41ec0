"""RedBeat's scheduler, made to survive a Redis that is unavailable, full or flushed.

RedBeat itself exits at the first error, and loses its schedule for good when Redis is flushed. Without sweeps a lost
message would wait for the next hook. It survives an unavailable broker and a full Redis, but logs a traceback for each
sweep: half a gigabyte in a day.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import structlog
from celery.beat import SchedulingError
from kombu.exceptions import OperationalError
from redbeat.schedulers import RedBeatScheduler, acquire_distributed_beat_lock, get_redis
from redis.exceptions import LockError, RedisError

from tasks.worker.backpressure import is_stalled

_PAUSED = "no consumer on queue, periodic tasks paused"
_RESUMED = "queue consumed again, periodic tasks resumed"
MAX_CLOCK_SKEW_S = 1.0  # between two hosts whose beats take over from each other

log = structlog.get_logger(__name__)


class PatientScheduler(RedBeatScheduler):  # type: ignore[misc]  # redbeat ships no types
    """Of all beats only the holder of the lock sends; the others stand by."""

    _blocked_by: str | None = None  # the error that keeps sweeps from being sent
    _is_schedule_stored = False  # whether the schedule is in Redis

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._held_queues: set[str] = set()  # queues without an active consumer
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        """Store the schedule in Redis. If Redis is unavailable, a later tick does."""
        with suppress(RedisError):
            self._store_schedule()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send the tasks that are due and return the seconds until the next tick."""
        try:
            return self._tick(*args, **kwargs)
        except RedisError as error:
            self._log_blocked(type(error).__name__)
            return float(self.max_interval)

    def apply_async(self, entry: Any, *args: Any, **kwargs: Any) -> Any:
        """Send one periodic task. An unavailable server is logged once: later tasks would log the same.

        A task that is held back stays due, so it is sent as soon as its queue is consumed again.
        """
        if self._is_held_back(entry.options["queue"]):
            return None
        try:
            sent = super().apply_async(entry, *args, **kwargs)
        except (RedisError, SchedulingError) as error:
            cause = error.__context__ if isinstance(error, SchedulingError) else error
            if not isinstance(cause, (RedisError, OperationalError)):
                raise
            self._log_blocked(type(cause).__name__)
            return None
        self._log_blocked(None)
        return sent

    def close(self) -> None:
        """Release the lock, if Redis is available."""
        with suppress(RedisError):
            super().close()

    def _is_held_back(self, queue: str) -> bool:
        """Return whether the queue has no active consumer. Logs only changes."""
        stalled = is_stalled(self.app, queue)
        if stalled != (queue in self._held_queues):
            self._held_queues ^= {queue}
            log.warning(_PAUSED if stalled else _RESUMED, queue=queue)
        return stalled

    def _log_blocked(self, error: str | None) -> None:
        """Log the error that keeps tasks from being sent, or that there is none any more, if that has changed."""
        if error == self._blocked_by:
            return
        self._blocked_by = error
        if error is None:
            log.warning("beat sends periodic tasks again")
        else:
            log.warning("beat cannot send periodic tasks", error=error)

    def _store_schedule(self) -> None:
        self._is_schedule_stored = False
        self._shorten_lock()
        super().setup_schedule()
        self._is_schedule_stored = True

    def _tick(self, *args: Any, **kwargs: Any) -> float:
        if not self._is_schedule_stored:
            self._store_schedule()
        self._reschedule_after_clock_change()
        if self.lock is None:  # Redis was unavailable when beat started
            acquire_distributed_beat_lock(SimpleNamespace(scheduler=self))
        try:
            return float(super().tick(*args, **kwargs))
        except LockError:
            self._reacquire_lock()
            return float(self.max_interval)

    def _reschedule_after_clock_change(self) -> None:
        """Make tasks due that lie more than an interval ahead: the clock was set back since they were sent."""
        schedule, now = self.app.conf.beat_schedule, time.time()
        names = {self.Entry.generate_key(self.app, name): row["schedule"] for name, row in schedule.items()}
        due = get_redis(self.app).zmscore(self.app.redbeat_conf.schedule_key, list(names))
        for (key, every), at in zip(names.items(), due, strict=True):
            if at is not None and at > now + every + MAX_CLOCK_SKEW_S:
                entry = self.Entry.from_key(key, app=self.app)
                entry.reschedule(self.app.now() - timedelta(seconds=every))
                log.warning("periodic task was due later than its interval, it is due now", sweep=entry.name)

    def _shorten_lock(self) -> None:
        """Shorten a lock that a clock set back keeps alive for a beat that is gone. A living beat renews its own."""
        client, longest_ms = get_redis(self.app), round(self.app.redbeat_conf.lock_timeout * 1000)
        if client.pttl(self.app.redbeat_conf.lock_key) > longest_ms:
            client.pexpire(self.app.redbeat_conf.lock_key, longest_ms)

    def _reacquire_lock(self) -> None:
        """Acquire the lock again after it expired or Redis was flushed, and store the schedule, which is lost then."""
        if self.lock.acquire(blocking=False):
            log.warning("beat acquired its lock again")
            self._store_schedule()
