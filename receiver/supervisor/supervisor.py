"""Keeps the child processes running, forwards their output, and stops them all, the first one last."""

from __future__ import annotations

import contextlib
import select
import time
from collections.abc import Callable, Iterable
from typing import IO

from pipeline.core.errors import CratewireError
from receiver.supervisor.command_forks import CommandForks
from receiver.supervisor.members import find_members
from receiver.supervisor.output import PrintLine
from receiver.supervisor.process import READ_BYTES, Child

STOP_TIMEOUT_S = 30.0  # a worker's warm shutdown takes longest
POLL_INTERVAL_S = 0.2
MEMORY_CHECK_INTERVAL_S = 5.0  # between two checks of the kernel's kill counter
MEMORY_ADVICE = "give this machine or its control group more, set CRATEWIRE_WORKERS lower, or leave flower closed"
SUPERVISOR_NAME = "cratewire"
MAX_RESTART_DELAY_S = 30.0
NEVER_S = float("inf")
STABLE_AFTER_S = 60.0  # uptime after which earlier exits no longer count


def get_restart_delay(exits: int) -> float:
    """Return the delay before a restart: 1, 2, 4 … 30 seconds after the first, second, third … exit in a row."""
    return min(MAX_RESTART_DELAY_S, 2.0 ** (exits - 1))


def count_exits_in_a_row(previous: int, uptime_s: float) -> int:
    """Count this exit; after a minute of uptime the count starts again at 1."""
    return 1 if uptime_s >= STABLE_AFTER_S else previous + 1


class FatalExit(CratewireError):
    """A required child failed for good. The message is its name."""


class Supervisor:
    """Restarts children that end, with a growing delay."""

    def __init__(
        self,
        print_line: PrintLine,
        reaper_input: IO[bytes],
        now: Callable[[], float] = time.monotonic,
        kills: Callable[[], int] = lambda: 0,
    ) -> None:
        self._print_line = print_line
        self._reaper_input = reaper_input
        self._now = now
        self._count_kernel_kills = kills  # how many of our control group the kernel has killed for memory, in total
        self._kernel_kills = kills()
        self._next_memory_check_at = now() + MEMORY_CHECK_INTERVAL_S
        self._members: dict[int, str] = {}  # at the last check: process id -> name of the child that it belongs to
        self._children: list[Child] = []
        self._commands: CommandForks | None = None

    def serve_commands(self, commands: CommandForks) -> None:
        """Run commands in forks of this process from now on."""
        self._commands = commands

    def add(self, child: Child) -> None:
        """Start a child and supervise it. The child added first is stopped last."""
        self._children.append(child)
        self._start(child)

    def add_later(self, child: Child, within_s: float) -> None:
        """Supervise a child from now on, and start it at `start_waiting`, or after so many seconds."""
        child.next_start_at = self._now() + within_s
        self._children.append(child)

    def add_on_connection(self, child: Child) -> None:
        """Supervise a child from now on, and start it when someone connects to its listener; that connection waits."""
        self.add_later(child, NEVER_S)

    def add_on_wake(self, child: Child) -> None:
        """Supervise a child from now on, and start it when something is written to its waker; it may end by itself."""
        self.add_later(child, NEVER_S)

    def start_waiting(self) -> None:
        """Start the children that were added for later."""
        for child in self._children:
            if child.process is None and not child.exits_in_a_row and child.next_start_at < NEVER_S:
                self._start(child)

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Supervise the children until `should_stop` returns True."""
        while not should_stop():
            self.tick()

    def tick(self) -> None:
        """Forward output, handle exits, start the children that are due."""
        self.forward_output(POLL_INTERVAL_S)
        if self._now() >= self._next_memory_check_at:
            self._next_memory_check_at = self._now() + MEMORY_CHECK_INTERVAL_S
            self._report_kernel_kills()
        if self._commands:
            self._commands.reap()
        for child in [child for child in self._children if child.has_ended()]:
            self._handle_exit(child)
        for child in self._children:
            if child.process is None and child.next_start_at <= self._now():
                self._start(child)

    def stop(self, should_kill: Callable[[], bool]) -> None:
        """Stop all children, the one added first last. `should_kill` ends the wait early."""
        if self._commands:
            self._commands.close()
            self._commands = None
        first, others = self._children[:1], self._children[1:]
        self._stop_all(others, should_kill)
        self._stop_all(first, should_kill)
        self._children.clear()

    def _start(self, child: Child) -> None:
        self.notify_reaper(f"+{child.start(self._now())}")

    def _report_kernel_kills(self) -> None:
        count, before = self._count_kernel_kills(), self._members
        self._members = find_members({child.process.pid: child.name for child in self._children if child.process})
        if count > self._kernel_kills:
            whose = ", ".join(sorted({name for pid, name in before.items() if pid not in self._members}))
            killed = f"the kernel killed {count - self._kernel_kills} of our processes for lack of memory"
            self._print_line(SUPERVISOR_NAME, f"{killed}{f' ({whose})' if whose else ''}: {MEMORY_ADVICE}")
        self._kernel_kills = count

    def _handle_exit(self, child: Child) -> None:
        uptime_s = self._now() - child.started_at
        code = self._reap(child)
        if code == 0 and child.on_success is not None:
            self._children.remove(child)
            child.on_success()
            return
        if code == 0 and child.waker is not None:
            child.exits_in_a_row, child.next_start_at = 0, NEVER_S
            return
        if code == child.fatal_exit_code:
            raise FatalExit(child.name)
        child.exits_in_a_row = count_exits_in_a_row(child.exits_in_a_row, uptime_s)
        delay_s = get_restart_delay(child.exits_in_a_row)
        child.next_start_at = self._now() + delay_s
        self._print_line(SUPERVISOR_NAME, f"{child.name} ended with code {code}; starting it again in {delay_s:.0f} s")

    def _stop_all(self, children: Iterable[Child], should_kill: Callable[[], bool]) -> None:
        running = [child for child in children if child.process is not None]
        for child in running:
            child.terminate()
        deadline = self._now() + STOP_TIMEOUT_S
        while not all(child.has_ended() for child in running) and self._now() < deadline and not should_kill():
            self.forward_output(POLL_INTERVAL_S / 2)
        for child in running:
            if not child.has_ended():
                self._print_line(SUPERVISOR_NAME, f"{child.name} did not stop in time and is killed")
            self._reap(child)

    def _reap(self, child: Child) -> int:
        if child.process is None:
            raise ValueError(f"{child.name} is not running")
        group = child.process.pid
        self._print_lines(child)
        code = child.kill_group()
        self.notify_reaper(f"-{group}")
        return code

    def forward_output(self, seconds: float = 0.0) -> None:
        """Print what the children have written, waiting for it at most `seconds`."""
        watched = {
            child.output_fd: child
            for child in self._children
            if child.process is not None and not child.is_output_closed
        }
        wanted = {
            child.listener.fileno(): child
            for child in self._children
            if child.listener and child.process is None and not child.exits_in_a_row
        }
        woken = {child.waker.fileno(): child for child in self._children if child.waker}
        commands = [self._commands.listener.fileno()] if self._commands else []
        readable, _, _ = select.select([*watched, *wanted, *woken, *commands], [], [], seconds)
        for number in readable:
            if number in woken:
                self._wake(woken[number])
            elif number in wanted:
                self._start(wanted[number])
            elif number in watched:
                self._print_lines(watched[number])
            elif self._commands:
                self._commands.handle_connection()

    def _wake(self, child: Child) -> None:
        """Start a child that something was written for, unless it runs or waits to be started again after an error."""
        if child.waker is not None:
            child.waker.recv(READ_BYTES)
        if child.process is None and not child.exits_in_a_row:
            self._start(child)

    def _print_lines(self, child: Child) -> None:
        for line in child.read_lines():
            self._print_line(child.name, line)

    def notify_reaper(self, line: str) -> None:
        """Inform the reaper of a group that has started (`+id`) or ended (`-id`)."""
        with contextlib.suppress(BrokenPipeError):  # the reaper was killed; go on without it
            self._reaper_input.write(f"{line}\n".encode())
            self._reaper_input.flush()
