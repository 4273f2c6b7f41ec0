"""Cancels tasks of an event loop that take too long, with one check a second for all of them.

A timer for each request (`asyncio.timeout`) would cost half as much CPU as a whole hook.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

CHECK_INTERVAL_S = 1.0


class RequestTimeouts:
    """The running tasks in the order of their start. For one event loop at a time."""

    def __init__(self, timeout_s: float, check_interval_s: float = CHECK_INTERVAL_S) -> None:
        self._timeout_s = timeout_s
        self._check_interval_s = check_interval_s
        self._running: dict[_TimedTask, float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def limit(self) -> _TimedTask:
        """Return a context manager. Its task gets TimeoutError within `check_interval_s` after its time is up."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop = loop
            loop.call_later(self._check_interval_s, self._cancel_overdue, loop)
        return _TimedTask(self._running, loop.time() + self._timeout_s)

    def _cancel_overdue(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task, deadline in list(self._running.items()):
            if deadline > now:
                break
            task.cancel()
        loop.call_later(self._check_interval_s, self._cancel_overdue, loop)


class _TimedTask:
    __slots__ = ("_deadline", "_is_cancelled", "_running", "_task")

    def __init__(self, running: dict[_TimedTask, float], deadline: float) -> None:
        self._running = running
        self._deadline = deadline
        self._is_cancelled = False
        self._task: asyncio.Task[object] | None = None

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        self._running[self] = self._deadline

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._running.pop(self, None)
        if self._is_cancelled and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def cancel(self) -> None:
        """Cancel the task, only once: it may need time to end."""
        del self._running[self]
        if self._task is not None:
            self._is_cancelled = self._task.cancel()
