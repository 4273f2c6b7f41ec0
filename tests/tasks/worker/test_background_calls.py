"""What is waited for and what is left alone, told by events and never by the clock."""

from __future__ import annotations

import threading

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from tasks.worker import background_calls as module
from tasks.worker.background_calls import BackgroundCalls
from tests.waiting import wait_until

PATIENT = 60


@pytest.fixture
def go():
    """Ends every call that waits for it, at the latest with the test."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(module, "CALL_TIMEOUT_S", 0.01)


@pytest.fixture
def rounds(monkeypatch):
    """Grows each time a waiting thread asks whether to go on waiting."""
    asked, patience = [], module.CallState.patience
    monkeypatch.setattr(module.CallState, "patience", lambda calls: asked.append(calls) or patience(calls))
    return asked


def hanging(go, began=None, then=lambda: None):
    """Work whose only call takes until `go`."""

    def work(calls):
        with calls.one():
            if began:
                began.set()
            assert go.wait(PATIENT)
        then()

    return work


def test_work_is_done_when_it_comes_back():
    done = []

    BackgroundCalls().run("test", lambda _: done.append(1))

    assert done == [1]


def test_its_error_is_raised():
    def work(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        BackgroundCalls().run("test", work)


@pytest.mark.usefixtures("impatient")
def test_a_call_that_hangs_is_left_alone_and_the_work_goes_on_after_it(go):
    done = threading.Event()

    BackgroundCalls().run("test", hanging(go, then=done.set))

    assert not done.is_set()
    go.set()
    assert done.wait(PATIENT)


@pytest.mark.usefixtures("impatient")
def test_work_that_takes_long_without_a_call_is_waited_for(rounds):
    done = []

    def work(calls):
        with calls.one():
            pass
        wait_until(lambda: len(rounds) > 3)
        done.append(1)

    BackgroundCalls().run("test", work)

    assert done == [1]


@pytest.mark.usefixtures("impatient")
def test_of_more_than_may_go_on_the_last_is_waited_for(go, rounds):
    lingering, came_back = BackgroundCalls(most=2), []
    for _ in range(2):
        lingering.run("test", hanging(go))
    began = threading.Event()

    def third():
        lingering.run("test", hanging(go, began))
        came_back.append(go.is_set())

    thread = threading.Thread(target=third)
    thread.start()
    assert began.wait(PATIENT)
    rounds.clear()
    wait_until(lambda: len(rounds) > 3)
    go.set()
    thread.join(PATIENT)

    assert came_back == [True]


@pytest.mark.usefixtures("impatient")
def test_what_has_come_to_its_end_makes_room(go):
    lingering = BackgroundCalls(most=1)
    lingering.run("test", hanging(go))
    go.set()
    wait_until(lambda: not lingering._running)
    again = threading.Event()

    lingering.run("test", hanging(again))

    assert len(lingering._running) == 1
    again.set()


def test_a_thread_that_cannot_be_started_takes_no_room(monkeypatch):
    def fail(_):
        raise RuntimeError("can't start new thread")

    lingering = BackgroundCalls()
    monkeypatch.setattr(threading.Thread, "start", fail)

    with pytest.raises(RuntimeError):
        lingering.run("test", lambda _: None)

    assert not lingering._running


@pytest.mark.usefixtures("impatient")
def test_work_knows_whether_somebody_still_waits_for_it(go):
    known = []

    def work(calls):
        known.append(calls.left)
        hanging(go, then=lambda: known.append(calls.left))(calls)

    BackgroundCalls().run("test", work)
    go.set()

    wait_until(lambda: len(known) == 2)
    assert known == [False, True]


@pytest.mark.usefixtures("impatient")
def test_an_error_that_comes_later_is_told_with_the_ids_of_its_task(go):
    def fail():
        raise ZeroDivisionError

    lingering = BackgroundCalls()
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        with bound_contextvars(chain="c1"):
            lingering.run("test", hanging(go, then=fail))
        go.set()
        wait_until(lambda: lines)

    assert [(line["event"], line["chain"]) for line in lines] == [("a task failed", "c1")]


def test_a_time_limit_that_strikes_while_it_waits_leaves_it_alone(go, monkeypatch):
    class Struck(BaseException):
        pass

    def strike(*_):
        raise Struck

    lingering, done = BackgroundCalls(), threading.Event()
    monkeypatch.setattr(module, "wait", strike)

    with pytest.raises(Struck):
        lingering.run("test", hanging(go, then=done.set))

    go.set()
    assert done.wait(PATIENT)


@pytest.mark.usefixtures("impatient")
def test_a_process_that_ends_lets_what_goes_on_come_to_its_end(go):
    lingering, done = BackgroundCalls(), threading.Event()
    lingering.run("test", hanging(go, then=done.set))
    threading.Timer(0.2, go.set).start()

    lingering.end()

    assert done.is_set()


@pytest.mark.usefixtures("impatient")
def test_a_process_that_ends_waits_only_a_little(go, monkeypatch):
    monkeypatch.setattr(module, "SHUTDOWN_TIMEOUT_S", 0.1)
    lingering = BackgroundCalls()
    lingering.run("test", hanging(go))

    lingering.end()

    assert lingering._running
