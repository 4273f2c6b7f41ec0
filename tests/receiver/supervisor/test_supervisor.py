"""Children that end are restarted; a stop leaves no process behind. Real processes, with a clock that can be moved."""

from __future__ import annotations

import io
import itertools
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from receiver.supervisor.supervisor import (
    MEMORY_ADVICE,
    MEMORY_CHECK_INTERVAL_S,
    FatalExit,
    Supervisor,
    count_exits_in_a_row,
    get_restart_delay,
)
from tests.receiver.supervisor.child_programs import IGNORES_SIGTERM, RUNS_FOREVER, STARTS_CHILD, child
from tests.waiting import wait_until


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Stage:
    """A supervisor, its output, and a clock that can be moved."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.guard = io.BytesIO()
        self.ahead = 0.0
        self.supervisor = Supervisor(
            lambda name, line: self.said.append((name, line)), self.guard, now=lambda: time.monotonic() + self.ahead
        )

    def until(self, done: Callable[[], object]) -> object:
        return wait_until(done, lambda: self.said, meanwhile=self.supervisor.tick, interval_s=0)

    def lines_of(self, name: str, start: str = "") -> list[str]:
        return [line for who, line in self.said if who == name and line.startswith(start)]


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.supervisor.stop(should_kill=lambda: True)


def test_a_line_of_output_is_passed_on_under_its_name(stage):
    stage.supervisor.add(child("web", RUNS_FOREVER))

    stage.until(lambda: stage.lines_of("web"))

    assert stage.lines_of("web") == ["here"]


def test_the_last_words_of_a_child_are_passed_on(stage):
    stage.supervisor.add(child("web", "print('sorry'); raise SystemExit(3)"))

    stage.until(lambda: stage.lines_of("cratewire"))

    assert stage.lines_of("web") == ["sorry"]


def test_a_child_that_was_killed_is_started_again_and_it_is_said(stage):
    web = child("web", RUNS_FOREVER)
    stage.supervisor.add(web)
    stage.until(lambda: stage.lines_of("web"))

    web.process.send_signal(signal.SIGKILL)

    stage.until(lambda: len(stage.lines_of("web")) == 2)
    assert stage.lines_of("cratewire") == ["web ended with code -9; starting it again in 1 s"]


def test_a_child_that_keeps_ending_waits_longer_each_time(stage):
    stage.supervisor.add(child("web", "raise SystemExit(1)"))

    for count in range(1, 7):
        stage.until(lambda count=count: len(stage.lines_of("cratewire")) == count)
        stage.ahead += 31.0

    waits = [line.rsplit(" ", 2)[1] for line in stage.lines_of("cratewire")]
    assert waits == ["1", "2", "4", "8", "16", "30"]


def test_a_minute_of_life_makes_up_for_earlier_ends(stage):
    web = child("web", RUNS_FOREVER, exits_in_a_row=4)
    stage.supervisor.add(web)
    stage.until(lambda: stage.lines_of("web"))
    stage.ahead += 61.0

    web.process.kill()

    stage.until(lambda: stage.lines_of("cratewire"))
    assert stage.lines_of("cratewire")[0].endswith("in 1 s")


def test_a_child_with_a_listener_is_started_by_the_first_connection_which_it_gets(stage):
    web = child("flower", "", is_forked=True)
    web.command = ["python", "-m", "tests.receiver.supervisor.forked_program", "answer"]
    with socket.create_server(("127.0.0.1", 0)) as web.listener:
        stage.supervisor.add_on_connection(web)
        stage.supervisor.start_waiting()
        stage.supervisor.tick()
        before = web.process
        with socket.create_connection(web.listener.getsockname(), timeout=20) as connection:
            stage.until(lambda: stage.lines_of("flower"))
            said = connection.recv(100)

    assert (before, said) == (None, b"hello")


def test_a_child_with_a_waker_is_started_by_a_byte_ends_by_itself_and_is_started_by_the_next_one(stage):
    backfill = child("backfill", "print('here')")
    backfill.waker, other_end = socket.socketpair()
    stage.supervisor.add_on_wake(backfill)
    stage.supervisor.start_waiting()
    stage.supervisor.tick()
    before = backfill.process
    with backfill.waker, other_end:
        for times in (1, 2):
            other_end.send(b"w")
            stage.until(lambda times=times: len(stage.lines_of("backfill")) == times and backfill.process is None)
        stage.supervisor.stop(should_kill=lambda: True)

    assert before is None
    assert stage.lines_of("cratewire") == []


def test_a_child_with_a_waker_that_fails_is_started_again_after_the_usual_delay(stage):
    backfill = child("backfill", "raise SystemExit(1)")
    backfill.waker, other_end = socket.socketpair()
    stage.supervisor.add_on_wake(backfill)
    with backfill.waker, other_end:
        other_end.send(b"w")
        stage.until(lambda: stage.lines_of("cratewire"))
        other_end.send(b"w")
        stage.supervisor.tick()
        is_early = backfill.process is not None
        stage.ahead += 2
        stage.until(lambda: len(stage.lines_of("cratewire")) == 2)
        stage.supervisor.stop(should_kill=lambda: True)

    assert not is_early
    assert stage.lines_of("cratewire")[0] == "backfill ended with code 1; starting it again in 1 s"


def test_what_a_dead_child_had_started_does_not_live_on_beside_the_new_one(stage):
    web = child("web", STARTS_CHILD)
    stage.supervisor.add(web)
    stage.until(lambda: len(stage.lines_of("web")) == 2)
    grandchild = int(stage.lines_of("web")[0])

    web.process.kill()

    assert stage.until(lambda: stage.lines_of("cratewire") and not alive(grandchild))


def test_a_child_that_is_wanted_once_is_not_started_again(stage):
    ready = []
    stage.supervisor.add(child("probe", "pass", on_success=lambda: ready.append(True)))

    stage.until(lambda: ready)

    assert stage.said == []


def test_a_child_that_is_wanted_once_but_fails_is_started_again(stage):
    stage.supervisor.add(child("probe", "raise SystemExit(1)", on_success=lambda: None))

    stage.until(lambda: stage.lines_of("cratewire"))

    assert stage.lines_of("cratewire") == ["probe ended with code 1; starting it again in 1 s"]


def test_a_child_that_closed_its_output_is_not_watched_in_a_circle(stage, monkeypatch):
    web = child(
        "web",
        f"import os\nos.close(1)\nos.close(2)\n{RUNS_FOREVER.replace('print', 'str')}".replace(", flush=True", ""),
    )
    stage.supervisor.add(web)

    stage.until(lambda: web.is_output_closed)

    watched = []
    monkeypatch.setattr(select, "select", lambda readable, *_: watched.extend(readable) or ([], [], []))
    stage.supervisor.tick()
    assert watched == []


def test_a_stop_leaves_no_process(stage):
    stage.supervisor.add(child("valkey", RUNS_FOREVER))
    stage.supervisor.add(child("worker", STARTS_CHILD))
    stage.until(lambda: len(stage.lines_of("worker")) == 2 and stage.lines_of("valkey"))
    pids = [int(stage.lines_of("worker")[0]), *(c.process.pid for c in stage.supervisor._children)]

    stage.supervisor.stop(should_kill=lambda: False)

    assert stage.until(lambda: not any(map(alive, pids)))  # the system reaps a killed orphan a moment later


def test_the_first_child_is_stopped_after_all_others(stage):
    says_so = (
        "import signal\nsignal.signal(signal.SIGTERM, lambda *_: exit(print('stopping', flush=True)))\n" + RUNS_FOREVER
    )
    for name in ("valkey", "web", "worker"):
        stage.supervisor.add(child(name, says_so))
    stage.until(lambda: all(stage.lines_of(name) for name in ("valkey", "web", "worker")))

    stage.supervisor.stop(should_kill=lambda: False)

    assert [name for name, line in stage.said if line == "stopping"][-1] == "valkey"


def test_a_child_that_does_not_stop_is_killed_when_the_time_is_over(stage):
    stage.supervisor.add(child("valkey", RUNS_FOREVER))
    web = child("web", IGNORES_SIGTERM)
    stage.supervisor.add(web)
    stage.until(lambda: stage.lines_of("web"))
    pid = web.process.pid
    jumps = itertools.count()

    def wait_in_jumps() -> bool:
        stage.ahead += 31.0 * min(1, next(jumps))
        return False

    stage.supervisor.stop(should_kill=wait_in_jumps)

    assert not alive(pid)
    assert "web did not stop in time and is killed" in stage.lines_of("cratewire")


def test_the_reaper_is_notified_of_every_start_and_exit(stage):
    stage.supervisor.add(child("valkey", RUNS_FOREVER))
    pid = stage.supervisor._children[0].process.pid

    stage.supervisor.stop(should_kill=lambda: True)

    assert stage.guard.getvalue().decode().split() == [f"+{pid}", f"-{pid}"]


def test_a_child_that_says_it_is_of_no_use_to_go_on_ends_everything(stage):
    stage.supervisor.add(child("migrate", "raise SystemExit(1)", fatal_exit_code=1))

    with pytest.raises(FatalExit, match="migrate"):
        stage.until(lambda: False)


def test_a_child_that_was_killed_before_it_could_say_so_is_started_again(stage):
    stage.supervisor.add(child("migrate", "import os; os.kill(os.getpid(), 9)", fatal_exit_code=1))

    assert stage.until(lambda: stage.lines_of("cratewire", "migrate ended with code -9; starting it again"))


def test_what_the_kernel_kills_for_memory_is_named(stage):
    kills = [0]
    stage.supervisor = Supervisor(
        lambda name, line: stage.said.append((name, line)), stage.guard, lambda: stage.ahead, lambda: kills[0]
    )
    stage.supervisor.add(child("web", RUNS_FOREVER))
    stage.supervisor.add(child("worker", STARTS_CHILD))
    stage.until(lambda: len(stage.lines_of("worker")) == 2)
    stage.ahead = MEMORY_CHECK_INTERVAL_S
    stage.supervisor.tick()

    kills[0] = 1
    os.kill(grandchild := int(stage.lines_of("worker")[0]), signal.SIGKILL)
    wait_until(lambda: not alive(grandchild) or is_zombie(grandchild), interval_s=0.01)
    stage.ahead += MEMORY_CHECK_INTERVAL_S
    stage.supervisor.tick()

    killed = "the kernel killed 1 of our processes for lack of memory (worker)"
    assert stage.lines_of("cratewire") == [f"{killed}: {MEMORY_ADVICE}"]


def is_zombie(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize(("ends", "seconds"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (60, 30)])
def test_the_wait_doubles_up_to_half_a_minute(ends, seconds):
    assert get_restart_delay(ends) == seconds


@pytest.mark.parametrize(("before", "lived", "after"), [(0, 0.1, 1), (4, 59.9, 5), (4, 60.0, 1)])
def test_a_minute_of_life_starts_the_count_again(before, lived, after):
    assert count_exits_in_a_row(before, lived) == after


def test_a_child_for_later_starts_when_the_first_are_ready(stage):
    stage.supervisor.add_later(child("late", RUNS_FOREVER), 20)
    stage.supervisor.tick()
    before = stage.guard.getvalue()
    stage.supervisor.start_waiting()

    assert (before, stage.guard.getvalue()[:1]) == (b"", b"+")


def test_a_child_for_later_starts_when_its_wait_is_over(stage):
    stage.supervisor.add_later(child("late", RUNS_FOREVER), 20)
    stage.ahead += 21
    stage.supervisor.tick()

    assert stage.guard.getvalue()[:1] == b"+"
