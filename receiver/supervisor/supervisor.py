"""Keeps the children running, passes their output on, and stops them all: the rest first, the broker last."""

from __future__ import annotations

import contextlib
import select
import time
from collections.abc import Callable, Iterable
from typing import IO

from pipeline.core.errors import CratewireError
from receiver.supervisor.output import PrintLine
from receiver.supervisor.process import Child

MAX_RESTART_DELAY_S = 30.0
STABLE_AFTER_S = 60.0  # seconds of life after which earlier ends are forgotten


def get_restart_delay(exits: int) -> float:
    """1, 2, 4 … 30 seconds after the first, second, third … end in a row."""
    return min(MAX_RESTART_DELAY_S, 2.0 ** (exits - 1))


def count_exits_in_a_row(previous: int, uptime_s: float) -> int:
    """Count this end; a life of a minute makes it the first again."""
    return 1 if uptime_s >= STABLE_AFTER_S else previous + 1


STOP_TIMEOUT_S = 30.0  # seconds to finish what was begun; a worker's warm stop is the longest
POLL_INTERVAL_S = 0.2
MEMORY_CHECK_INTERVAL_S = 5.0  # between two looks at what the kernel killed
MEMORY_ADVICE = "give this machine or its control group more, or set CRATEWIRE_WORKERS lower"
SUPERVISOR_NAME = "cratewire"


class FatalExit(CratewireError):
    """A child has ended for good, and without it there is nothing to go on with. The message is its name."""


class Supervisor:
    """Honcho's own manager ends everything when one process ends; this one starts it again."""

    def __init__(
        self,
        print_line: PrintLine,
        reaper_input: IO[bytes],
        now: Callable[[], float] = time.monotonic,
        kills: Callable[[], int] = lambda: 0,
    ) -> None:
        self._say = print_line
        self._guard = reaper_input
        self._now = now
        self._count_kernel_kills = kills  # how many of our group the kernel has killed for memory, ever
        self._killed = kills()
        self._look_at = now() + MEMORY_CHECK_INTERVAL_S
        self._children: list[Child] = []

    def add(self, child: Child) -> None:
        """Start it at once and look after it from now on. What is added first is stopped last."""
        self._children.append(child)
        self._start(child)

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Look after the children until `stopping` says so."""
        while not should_stop():
            self.tick()

    def tick(self) -> None:
        """Pass output on, notice who has ended, start who is due."""
        self.forward_output(POLL_INTERVAL_S)
        if self._now() >= self._look_at:
            self._look_at = self._now() + MEMORY_CHECK_INTERVAL_S
            self._report_kernel_kills()
        for child in [child for child in self._children if child.ended()]:
            self._handle_exit(child)
        for child in self._children:
            if child.process is None and child.start_at <= self._now():
                self._start(child)

    def stop(self, should_kill: Callable[[], bool]) -> None:
        """Stop everybody, the one added first after all others. `hurry` cuts the waiting short."""
        first, others = self._children[:1], self._children[1:]
        self._end(others, should_kill)
        self._end(first, should_kill)
        self._children.clear()

    def _start(self, child: Child) -> None:
        self._tell_guard(f"+{child.start(self._now())}")

    def _report_kernel_kills(self) -> None:
        count = self._count_kernel_kills()
        if count > self._killed:
            killed = count - self._killed
            self._say(
                SUPERVISOR_NAME, f"the kernel killed {killed} of our processes for want of memory: {MEMORY_ADVICE}"
            )
        self._killed = count

    def _handle_exit(self, child: Child) -> None:
        lived = self._now() - child.started_at
        code = self._sweep(child)
        if code == 0 and child.once is not None:
            self._children.remove(child)
            child.once()
            return
        if code == child.fatal_exit_code:
            raise FatalExit(child.name)
        child.exits_in_a_row = count_exits_in_a_row(child.exits_in_a_row, lived)
        wait = get_restart_delay(child.exits_in_a_row)
        child.start_at = self._now() + wait
        self._say(SUPERVISOR_NAME, f"{child.name} ended with code {code}; starting it again in {wait:.0f} s")

    def _end(self, children: Iterable[Child], should_kill: Callable[[], bool]) -> None:
        running = [child for child in children if child.process is not None]
        for child in running:
            child.terminate()
        deadline = self._now() + STOP_TIMEOUT_S
        while not all(child.ended() for child in running) and self._now() < deadline and not should_kill():
            self.forward_output(POLL_INTERVAL_S / 2)
        for child in running:
            if not child.ended():
                self._say(SUPERVISOR_NAME, f"{child.name} did not stop in time and is killed")
            self._sweep(child)

    def _sweep(self, child: Child) -> int:
        if child.process is None:
            raise ValueError(f"{child.name} is not running")
        group = child.process.pid
        self._print_lines(child)
        code = child.sweep()
        self._tell_guard(f"-{group}")
        return code

    def forward_output(self, seconds: float = 0.0) -> None:
        """Print what the children have written, waiting at most so long for it."""
        watched = {child.output: child for child in self._children if child.process is not None and not child.silent}
        readable, _, _ = select.select(list(watched), [], [], seconds)
        for output in readable:
            self._print_lines(watched[output])

    def _print_lines(self, child: Child) -> None:
        for line in child.lines():
            self._say(child.name, line)

    def _tell_guard(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # whoever killed the guard goes on without one
            self._guard.write(f"{line}\n".encode())
            self._guard.flush()
