"""Keeps only as many processes of a worker as it needs: at rest one, for each of which 30 MB are saved.

Celery's own autoscaler lets processes go when no message has come for half a minute; ours get one each second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from celery.worker import state
from celery.worker.autoscale import Autoscaler

from tasks.config import PERIODIC_TASKS, WOKEN_SWEEPS

SWEEPS = frozenset({*PERIODIC_TASKS, *WOKEN_SWEEPS})
CHECK_INTERVAL_S = 10.0
PATIENCE_S = 0.5  # a message that waits so long needs a process of its own
SPARE_S = 60.0  # so long a process has to have been one more than was needed before it is let go


class IdlePoolScaler(Autoscaler):  # type: ignore[misc]  # Celery ships no types
    """Starts a process when a message has waited for one; lets one go after a minute in which it was not needed."""

    def __init__(self, *args: Any, now: Callable[[], float] = time.monotonic, **options: Any) -> None:
        super().__init__(*args, **options, keepalive=CHECK_INTERVAL_S)
        self._now = now
        self._full_since: float | None = None  # as many messages are in hand as there are processes, or more
        self._full_for_long_at = now()

    def _maybe_scale(self, req: Any = None) -> bool:  # noqa: ARG002  Celery's signature
        """Return whether the number of processes was changed. Called for every message, and every few seconds."""
        there, now = self.processes, self._now()
        if self.qty < there:
            self._full_since = None
        elif self._full_since is None:
            self._full_since = now
            self.worker.hub.call_later(PATIENCE_S, self.maybe_scale)
        elif now - self._full_since >= PATIENCE_S / 2:  # a timer may be a little early
            self._full_since, self._full_for_long_at = None, now
            return self._grow_to(min(self.qty, self.max_concurrency))
        if self.qty == 0 and there > self.min_concurrency and now - self._full_for_long_at > SPARE_S:
            # No task runs in any of them, so none is interrupted; one that makes a call in the background waits for it.
            self._full_for_long_at = now
            self._shrink(1)
            return True
        return False

    @property
    def qty(self) -> int:
        """How many processes the messages in hand need: sweeps, of which twenty come at a time, need one together."""
        names = [request.name for request in list(state.reserved_requests)]
        others = sum(name not in SWEEPS for name in names)
        return others + (len(names) > others)

    def _grow_to(self, wanted: int) -> bool:
        missing: int = max(0, wanted - self.processes)
        if missing:
            self._grow(missing)
        return missing > 0
