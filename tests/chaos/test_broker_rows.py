"""The rows of the broker see a worker that does not hear, whatever the other one does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from redis import Redis

from bench.chaos.faults.broker import check_ears
from tests.chaos.scenes import scene

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
    here = scene(here=SimpleNamespace(broker=redis_client))

    with listeners(redis_client, 2):
        check_ears(here, seconds=60)

    assert not here.row.broken


@pytest.mark.parametrize("number", [0, 1])
def test_a_deaf_worker_breaks_the_row(redis_client: Redis, number: int):
    here = scene(here=SimpleNamespace(broker=redis_client))

    with listeners(redis_client, number):
        check_ears(here, seconds=0.2)

    assert here.row.broken
