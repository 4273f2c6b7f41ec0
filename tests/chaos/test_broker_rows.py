"""The rows of the broker see a worker that does not hear, whatever the other one does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from redis import Redis

from bench.chaos.faults.broker import check_consumers
from tests.chaos.fault_runs import make_fault_run

QUEUE = "a-queue"


@contextmanager
def listeners(server: Redis, number: int) -> Iterator[None]:
    """So many connections wait for a message."""
    threads = [threading.Thread(target=server.brpop, args=(QUEUE, 60), daemon=True) for _ in range(number)]
    for thread in threads:
        thread.start()
    yield
    server.lpush(QUEUE, *["a message"] * max(number, 1))
    for thread in threads:
        thread.join()


def test_both_workers_hear(redis_client: Redis):
    here = make_fault_run(here=SimpleNamespace(broker=redis_client))

    with listeners(redis_client, 2):
        check_consumers(here, seconds=60)

    assert not here.row.broken


@pytest.mark.parametrize("number", [0, 1])
def test_a_deaf_worker_breaks_the_row(redis_client: Redis, number: int):
    here = make_fault_run(here=SimpleNamespace(broker=redis_client))

    with listeners(redis_client, number):
        check_consumers(here, seconds=0.2)

    assert here.row.broken
