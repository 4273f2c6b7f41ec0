"""An odd request that is answered wrongly, or not at all, is seen, and so is what its readers leave behind."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from bench.chaos.fault_run import FaultRun
from bench.chaos.faults.fuzz import check_survival
from bench.chaos.faults.processes import list_processes
from bench.chaos.hooks import Hook
from bench.chaos.load import SentHook
from bench.chaos.odd_requests import OddRequest, odd_requests, send_raw
from tests.chaos.fault_runs import make_fault_run


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """A server that reads a little, says this, and closes."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(100)
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.mark.parametrize(
    ("answer", "status"),
    [(b"HTTP/1.1 413 Content Too Large\r\n\r\n", 413), (b"", None), (b"HTTP/1.1 2", None), (b"nonsense\r\n", None)],
)
def test_only_an_answer_counts_as_one(answer: bytes, status: int | None):
    with answering(answer) as port:
        assert send_raw(port, b"GET / HTTP/1.1\r\n\r\n") == status


@pytest.mark.parametrize("status", [None, 200, 500])
def test_an_answer_that_was_not_expected_is_reported(status: int | None):
    assert OddRequest("PUT", b"", (405,)).complaint(status)


def test_the_expected_answer_is_fine():
    assert OddRequest("PUT", b"", (405,)).complaint(405) is None


def test_no_odd_request_may_be_a_fault_of_ours():
    assert all(status < 500 for one in odd_requests("/hooks/s/t/order_new") for status in one.statuses)


class Here:
    """An installation of one process that starts more: this one."""

    def __init__(self) -> None:
        self.keeper = {name: SimpleNamespace(pid=os.getpid()) for name in ("web", "worker", "worker2")}
        self.kept = 1
        self.dead: Counter[str] = Counter()

    def accounted(self) -> int:
        return self.kept

    def dead_hooks(self) -> Counter[str]:
        return Counter(self.dead)


def one_accepted(here: Any) -> FaultRun:
    return make_fault_run(SentHook(Hook(0, 0, b"", "1", ("a",)), sent_at=1, answered_at=2, status=200), here=here)


def settled(played: FaultRun) -> list[str]:
    for check in played.checks:
        check()
    return played.row.broken


def test_a_run_in_which_every_process_survived_has_no_failures():
    played = one_accepted(Here())

    check_survival(played)

    assert settled(played) == []


def test_an_acknowledged_request_beside_the_load_must_be_accounted_for():
    played = one_accepted(Here())

    check_survival(played, ["a GET"])

    assert settled(played) == ["2 hooks accepted, 1 accounted for"]


@pytest.mark.parametrize("reason", ["poison", "internal_error"])
def test_a_hook_that_no_one_survived_reading_breaks_the_row(reason: str):
    here = Here()
    played = one_accepted(here)

    check_survival(played)
    here.dead[reason] += 1

    assert settled(played)


def test_a_hook_that_was_no_json_is_what_was_sent():
    here = Here()
    played = one_accepted(here)

    check_survival(played)
    here.dead["not_json"] += 1

    assert settled(played) == []


def test_a_child_in_the_place_of_another_breaks_the_row():
    played = one_accepted(Here())
    child = subprocess.Popen(["sleep", "600"])
    check_survival(played)
    child.kill()
    child.wait()
    child = subprocess.Popen(["sleep", "600"])

    broken = settled(played)

    child.kill()
    child.wait()
    assert broken


def test_children_are_among_those_who_run():
    with subprocess.Popen(["sleep", "600"]) as child:
        try:
            assert child.pid in list_processes(one_accepted(Here()))["web"]
        finally:
            child.kill()
