"""Which work is waited for and which is detached."""

from __future__ import annotations

import threading

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from tasks.worker import background_calls as module
from tasks.worker.background_calls import BackgroundCalls
from tests.waiting import wait_until

TIMEOUT_S = 60


@pytest.fixture
def go():
    """Ends every call that waits for it, at the latest with the test."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def short_timeout(monkeypatch):
    monkeypatch.setattr(module, "CALL_TIMEOUT_S", 0.01)


@pytest.fixture
def rounds(monkeypatch):
    """Grows each time a waiting thread asks whether to go on waiting."""
    asked, wait_left_s = [], module.CallState.wait_left_s
    monkeypatch.setattr(module.CallState, "wait_left_s", lambda calls: asked.append(calls) or wait_left_s(calls))
    return asked


def hanging(go, began=None, then=lambda: None):
    """Work whose only call takes until `go`."""

    def work(calls):
        with calls.track_call():
            if began:
                began.set()
            assert go.wait(TIMEOUT_S)
        then()

    return work


def test_the_work_is_done_when_run_returns():
    done = []

    BackgroundCalls().run("test", lambda _: done.append(1))

    assert done == [1]


def test_the_error_of_the_work_is_raised():
    def work(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        BackgroundCalls().run("test", work)


@pytest.mark.usefixtures("short_timeout")
def test_a_call_that_hangs_is_detached_and_the_work_goes_on_after_it(go):
    done = threading.Event()

    BackgroundCalls().run("test", hanging(go, then=done.set))

    assert not done.is_set()
    go.set()
    assert done.wait(TIMEOUT_S)


@pytest.mark.usefixtures("short_timeout")
def test_work_that_takes_long_without_a_call_is_waited_for(rounds):
    done = []

    def work(calls):
        with calls.track_call():
            pass
        wait_until(lambda: len(rounds) > 3)
        done.append(1)

    BackgroundCalls().run("test", work)

    assert done == [1]


@pytest.mark.usefixtures("short_timeout")
def test_a_call_beyond_the_limit_is_waited_for(go, rounds):
    background, came_back = BackgroundCalls(max_calls=2), []
    for _ in range(2):
        background.run("test", hanging(go))
    began = threading.Event()

    def third():
        background.run("test", hanging(go, began))
        came_back.append(go.is_set())

    thread = threading.Thread(target=third)
    thread.start()
    assert began.wait(TIMEOUT_S)
    rounds.clear()
    wait_until(lambda: len(rounds) > 3)
    go.set()
    thread.join(TIMEOUT_S)

    assert came_back == [True]


@pytest.mark.usefixtures("short_timeout")
def test_finished_work_makes_room(go):
    background = BackgroundCalls(max_calls=1)
    background.run("test", hanging(go))
    go.set()
    wait_until(lambda: not background._running)
    again = threading.Event()

    background.run("test", hanging(again))

    assert len(background._running) == 1
    again.set()


def test_a_thread_that_cannot_be_started_takes_no_room(monkeypatch):
    def fail(_):
        raise RuntimeError("can't start new thread")

    background = BackgroundCalls()
    monkeypatch.setattr(threading.Thread, "start", fail)

    with pytest.raises(RuntimeError):
        background.run("test", lambda _: None)

    assert not background._running


@pytest.mark.usefixtures("short_timeout")
def test_work_knows_whether_it_is_detached(go):
    known = []

    def work(calls):
        known.append(calls.is_detached)
        hanging(go, then=lambda: known.append(calls.is_detached))(calls)

    BackgroundCalls().run("test", work)
    go.set()

    wait_until(lambda: len(known) == 2)
    assert known == [False, True]


@pytest.mark.usefixtures("short_timeout")
def test_an_error_after_detaching_is_logged_with_the_ids_of_its_task(go):
    def fail():
        raise ZeroDivisionError

    background = BackgroundCalls()
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        with bound_contextvars(chain="c1"):
            background.run("test", hanging(go, then=fail))
        go.set()
        wait_until(lambda: lines)

    assert [(line["event"], line["chain"]) for line in lines] == [("a task failed", "c1")]


def test_a_time_limit_during_the_wait_detaches_the_work(go, monkeypatch):
    class Struck(BaseException):
        pass

    def strike(*_):
        raise Struck

    background, done = BackgroundCalls(), threading.Event()
    monkeypatch.setattr(module, "wait", strike)

    with pytest.raises(Struck):
        background.run("test", hanging(go, then=done.set))

    go.set()
    assert done.wait(TIMEOUT_S)


@pytest.mark.usefixtures("short_timeout")
def test_a_process_that_exits_waits_for_detached_work(go):
    background, done = BackgroundCalls(), threading.Event()
    background.run("test", hanging(go, then=done.set))
    threading.Timer(0.2, go.set).start()

    background.wait_until_done()

    assert done.is_set()


@pytest.mark.usefixtures("short_timeout")
def test_a_process_that_exits_waits_only_for_a_limited_time(go, monkeypatch):
    monkeypatch.setattr(module, "SHUTDOWN_TIMEOUT_S", 0.1)
    background = BackgroundCalls()
    background.run("test", hanging(go))

    background.wait_until_done()

    assert background._running
