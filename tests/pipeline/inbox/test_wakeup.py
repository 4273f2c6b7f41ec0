from __future__ import annotations

import threading

from pipeline.inbox.wakeup import WakeupThread


def test_a_request_kicks_from_another_thread():
    kicked = threading.Event()
    threads = []

    def kick():
        threads.append(threading.current_thread())
        kicked.set()

    WakeupThread(kick).request()

    assert kicked.wait(10)
    assert threads != [threading.current_thread()]


def test_requests_during_a_kick_make_one_more():
    started, may_go, done = threading.Semaphore(0), threading.Semaphore(0), []

    def kick():
        started.release()
        may_go.acquire()
        done.append(1)

    kicker = WakeupThread(kick)
    kicker.request()
    started.acquire()
    for _ in range(20):
        kicker.request()
    may_go.release(2)
    started.acquire()

    assert not started.acquire(timeout=0.1)


def test_a_broker_that_fails_does_not_end_it():
    attempts = threading.Semaphore(0)

    def kick():
        attempts.release()
        raise OSError("no broker")

    kicker = WakeupThread(kick)
    for _ in range(3):
        kicker.request()
        assert attempts.acquire(timeout=10)
