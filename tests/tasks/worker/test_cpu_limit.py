"""A block that uses up its processor time is interrupted wherever it is; other code is not."""

from __future__ import annotations

import re
import signal
import threading
import time
from contextlib import suppress

import pytest

from pipeline.processing.cpu_budget import MAX_HOOK_CPU_S, CpuLimitExceeded
from tasks.worker.cpu_limit import TIMER, _on_timer, cpu_limit

LITTLE_S = 0.05
SQUARED = re.compile(r"[\[{](?:\s|x)*[\[{]?(?:\s|x)*y")


def busy(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_python_that_goes_on_and_on_is_struck():
    with pytest.raises(CpuLimitExceeded), cpu_limit(LITTLE_S):
        busy(60)


def test_a_search_for_a_pattern_is_struck_in_the_midst_of_it():
    began = time.thread_time()
    with pytest.raises(CpuLimitExceeded), cpu_limit(LITTLE_S):
        SQUARED.match("{" + " " * 60_000)  # a minute and more

    assert time.thread_time() - began < 20


def test_what_takes_everything_for_its_own_fault_does_not_take_the_strike():
    def stubborn():
        with suppress(Exception):
            busy(60)
        busy(60)

    with pytest.raises(CpuLimitExceeded), cpu_limit(LITTLE_S):
        stubborn()


def test_what_ends_in_time_is_not_struck_and_leaves_no_timer():
    with cpu_limit(MAX_HOOK_CPU_S):
        busy(LITTLE_S)

    assert signal.getitimer(TIMER) == (0.0, 0.0)


def test_a_signal_that_is_late_finds_nothing_to_strike():
    with cpu_limit(MAX_HOOK_CPU_S):
        pass
    _on_timer(signal.SIGPROF, None)

    assert signal.getitimer(TIMER) == (0.0, 0.0)


def test_the_cpu_time_of_other_threads_does_not_count():
    limit_s = 4 * LITTLE_S
    other = threading.Thread(target=busy, args=(2 * limit_s,))

    with cpu_limit(limit_s):
        other.start()
        other.join()
        busy(LITTLE_S)

    assert not other.is_alive()


def test_outside_the_main_thread_there_is_no_limit():
    ended = []

    def work():
        with cpu_limit(LITTLE_S):
            busy(4 * LITTLE_S)
        ended.append(True)

    other = threading.Thread(target=work)
    other.start()
    other.join()

    assert ended == [True]
