"""RedBeat's scheduler, which outlives Redis: it waits while Redis is away, full or emptied, and then goes on.

RedBeat itself ends at the first error, and its schedule is gone for good when Redis has been emptied. Without sweeps
a lost message would wait for the next hook. A broker that is away, or a full Redis, it survives, but tells with a trace
of each sweep: half a gigabyte in a day.
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

MAX_CLOCK_SKEW_S = 1.0  # of two hosts that take over from each other

log = structlog.get_logger(__name__)


class PatientScheduler(RedBeatScheduler):  # type: ignore[misc]  # redbeat ships no types
    """One beat of the fleet holds the lock and sends; the others stand by."""

    _blocked_by: str | None = None  # what keeps sweeps from being sent
    _is_schedule_stored = False  # whether the schedule is in Redis

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._held: set[str] = set()  # queues of which nobody takes messages
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        """Lay the schedule into Redis. If it is away, the first tick that finds it does."""
        with suppress(RedisError):
            self._store_schedule()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due; say in how many seconds to look again."""
        try:
            return self._tick(*args, **kwargs)
        except RedisError as error:
            self._tell(type(error).__name__)
            return float(self.max_interval)

    def apply_async(self, entry: Any, *args: Any, **kwargs: Any) -> Any:
        """Send one sweep. A server that is away is told of once: a later sweep says the same.

        One that is held back stays due, so it is sent as soon as messages are taken again.
        """
        if self._is_held_back(entry.options["queue"]):
            return None
        try:
            sent = super().apply_async(entry, *args, **kwargs)
        except (RedisError, SchedulingError) as error:
            cause = error.__context__ if isinstance(error, SchedulingError) else error
            if not isinstance(cause, (RedisError, OperationalError)):
                raise
            self._tell(type(cause).__name__)
            return None
        self._tell(None)
        return sent

    def close(self) -> None:
        """Give the lock back, if Redis is there to take it."""
        with suppress(RedisError):
            super().close()

    def _is_held_back(self, queue: str) -> bool:
        """Back, as long as nobody takes what waits there already; told of once."""
        holds = is_stalled(self.app, queue)
        if holds != (queue in self._held):
            self._held ^= {queue}
            log.warning("nobody takes sweeps, beat holds them back" if holds else "sweeps are taken again", queue=queue)
        return holds

    def _tell(self, error: str | None) -> None:
        """Of what keeps sweeps from being sent, or that nothing does, when that has changed."""
        if error == self._blocked_by:
            return
        self._blocked_by = error
        if error is None:
            log.warning("beat sends sweeps again")
        else:
            log.warning("beat cannot send sweeps", error=error)

    def _store_schedule(self) -> None:
        self._is_schedule_stored = False
        self._shorten_lock()
        super().setup_schedule()
        self._is_schedule_stored = True

    def _tick(self, *args: Any, **kwargs: Any) -> float:
        if not self._is_schedule_stored:
            self._store_schedule()
        self._reschedule_after_clock_change()
        if self.lock is None:  # Redis was away when beat began
            acquire_distributed_beat_lock(SimpleNamespace(scheduler=self))
        try:
            return float(super().tick(*args, **kwargs))
        except LockError:
            self._reacquire_lock()
            return float(self.max_interval)

    def _reschedule_after_clock_change(self) -> None:
        """A sweep due later than its interval from now is due now: the clock was set back since it was sent."""
        schedule, now = self.app.conf.beat_schedule, time.time()
        names = {self.Entry.generate_key(self.app, name): row["schedule"] for name, row in schedule.items()}
        due = get_redis(self.app).zmscore(self.app.redbeat_conf.schedule_key, list(names))
        for (key, every), at in zip(names.items(), due, strict=True):
            if at is not None and at > now + every + MAX_CLOCK_SKEW_S:
                entry = self.Entry.from_key(key, app=self.app)
                entry.reschedule(self.app.now() - timedelta(seconds=every))
                log.warning("a sweep lay further ahead than its interval, it is due now", sweep=entry.name)

    def _shorten_lock(self) -> None:
        """A lock of a beat that is gone lives as long as the clock was set back; one that lives renews its own."""
        client, longest_ms = get_redis(self.app), round(self.app.redbeat_conf.lock_timeout * 1000)
        if client.pttl(self.app.redbeat_conf.lock_key) > longest_ms:
            client.pexpire(self.app.redbeat_conf.lock_key, longest_ms)

    def _reacquire_lock(self) -> None:
        """The lock ran out while nobody could renew it, or Redis was emptied; then the schedule is gone as well."""
        if self.lock.acquire(blocking=False):
            log.warning("beat has its lock back")
            self._store_schedule()
