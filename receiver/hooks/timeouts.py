"""Calls off what takes too long on an event loop, with one look a second at everything under way.

A timer for each request (`asyncio.timeout`) costs as much as half of what we do for a hook.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

CHECK_INTERVAL_S = 1.0


class RequestTimeouts:
    """What is under way, in the order of its beginning. For one loop at a time."""

    def __init__(self, timeout_s: float, check_interval_s: float = CHECK_INTERVAL_S) -> None:
        self._seconds = timeout_s
        self._check_interval_s = check_interval_s
        self._under_way: dict[_TimedTask, float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def watched(self) -> _TimedTask:
        """A context whose task gets TimeoutError when its time, and at most one look more, has passed."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop = loop
            loop.call_later(self._check_interval_s, self._look, loop)
        return _TimedTask(self._under_way, loop.time() + self._seconds)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for watched, due in list(self._under_way.items()):
            if due > now:
                break
            watched.cancel()
        loop.call_later(self._check_interval_s, self._look, loop)


class _TimedTask:
    __slots__ = ("_called_off", "_due", "_task", "_under_way")

    def __init__(self, under_way: dict[_TimedTask, float], due: float) -> None:
        self._under_way = under_way
        self._due = due
        self._called_off = False
        self._task: asyncio.Task[object] | None = None

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        self._under_way[self] = self._due

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._under_way.pop(self, None)
        if self._called_off and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def cancel(self) -> None:
        """Once is enough: the task may need a moment."""
        del self._under_way[self]
        if self._task is not None:
            self._called_off = self._task.cancel()
