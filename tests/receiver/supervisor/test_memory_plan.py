"""Only as many processes are started as fit into memory."""

from __future__ import annotations

import pytest

from pipeline.core.errors import Misconfigured
from receiver.supervisor.memory_plan import BASE_MB, FLOWER_MB, WORKER_MB, choose_workers, plan_processes

MB = 1_000_000
FOR_ONE = (BASE_MB + FLOWER_MB + WORKER_MB) * MB


def test_with_room_for_all_nothing_is_said():
    assert plan_processes(4, FOR_ONE + 3 * WORKER_MB * MB) == plan_processes(4, None)
    assert plan_processes(4, None).warning is None


def test_with_less_as_many_as_fit_are_started():
    planned = plan_processes(4, FOR_ONE + 2 * WORKER_MB * MB - 1)

    assert (planned.workers, planned.runs_flower) == (2, True)
    assert "4 worker processes need 650 MB: starting 2" in planned.warning


def test_flower_is_left_out_before_the_last_worker():
    planned = plan_processes(4, FOR_ONE - 1)

    assert (planned.workers, planned.runs_flower) == (1, False)


def test_with_too_little_it_is_refused_in_a_sentence():
    with pytest.raises(Misconfigured, match="256 MB of memory are available, and Cratewire needs 340 MB"):
        plan_processes(4, 256 * MB)


@pytest.mark.parametrize(("cores", "workers"), [(1, 2), (2, 2), (3, 3), (16, 4), (None, 4)])
def test_unless_it_is_set_there_is_a_worker_process_for_each_core_but_two_to_four(cores, workers):
    assert choose_workers(4, cores) == workers
