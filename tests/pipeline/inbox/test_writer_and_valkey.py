"""The whole way in, without HTTP, against a real Valkey that is killed, stopped, filled and emptied."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from functools import partial

import pytest
from redis import Redis
from redis.exceptions import RedisError

from pipeline.inbox import stream
from pipeline.inbox.batch_writer import BatchWriter
from pipeline.inbox.circuit_breaker import CircuitBreaker
from pipeline.inbox.client import connect
from pipeline.inbox.ingest import IngestRouter
from pipeline.inbox.spool.directory import SpoolDirectory
from pipeline.infra import redis_keys
from tests.pipeline.inbox.hooks import hook
from tests.pipeline.inbox.own_valkey import OwnValkey
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path):
    own = OwnValkey(tmp_path / "valkey")
    own.start()
    yield own
    own.stop()


@contextmanager
def writer_for(server, tmp_path):
    def way_in() -> IngestRouter:
        redis = connect(server.url, 0.2)
        tap = CircuitBreaker(partial(stream.has_room, redis), time.monotonic)
        return IngestRouter(redis, SpoolDirectory(tmp_path / "spool"), tap, lambda _: None)

    writer = BatchWriter(way_in)
    writer.start()
    try:
        yield writer
    finally:
        writer.stop()


class Sender:
    """Submits hooks one after the other until it is stopped, and records which were accepted, in order."""

    def __init__(self, writer: BatchWriter, first: int, size: int = 0) -> None:
        self.accepted: list[str] = []
        self.ways: set[str] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(writer, first, size))
        self._thread.start()

    def _run(self, writer, number, size):
        while not self._stopping.is_set():
            way = writer.submit(hook(number, size=size))
            self.ways.add(way)
            if way != "refused":
                self.accepted.append(f"r{number}")
            number += 1

    def wait_for(self, count: int) -> None:
        goal = len(self.accepted) + count
        wait_until(lambda: len(self.accepted) >= goal)

    def wait_for_way(self, way: str) -> None:
        self.ways.clear()
        wait_until(lambda: way in self.ways)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()


def arrived(server, writer) -> list[str]:
    """Everything in the inbox once the spool has drained; a receipt that came twice counts where it came first."""
    redis = Redis.from_url(server.url)
    wait_until(lambda: (seen := writer.get_status()) is not None and seen.redis and not seen.spooled_hooks)
    receipts = [fields[b"r"].decode() for _, fields in redis.xrange(redis_keys.INBOX)]
    redis.close()
    return list(dict.fromkeys(receipts))


def in_order_of(sender: Sender, receipts: list[str]) -> list[str]:
    mine = set(sender.accepted)
    return [receipt for receipt in receipts if receipt in mine]


def test_a_redis_killed_again_and_again_loses_no_accepted_hook_and_no_order(server, tmp_path):
    with writer_for(server, tmp_path) as writer:
        senders = [Sender(writer, first) for first in (1_000_000, 2_000_000)]
        for _ in range(3):
            senders[0].wait_for(200)
            server.kill()
            senders[0].wait_for_way("spool")
            senders[0].wait_for(100)
            server.start()
            senders[0].wait_for_way("inbox")
        for sender in senders:
            sender.stop()
        receipts = arrived(server, writer)

    for sender in senders:
        assert in_order_of(sender, receipts) == sender.accepted


def test_a_redis_that_hangs_loses_no_accepted_hook_and_no_order(server, tmp_path):
    with writer_for(server, tmp_path) as writer:
        senders = [Sender(writer, first) for first in (1_000_000, 2_000_000)]
        for _ in range(2):
            senders[0].wait_for(200)
            os.kill(server.pid, signal.SIGSTOP)
            senders[0].wait_for_way("spool")
            senders[0].wait_for(100)
            os.kill(server.pid, signal.SIGCONT)
            senders[0].wait_for_way("inbox")
        for sender in senders:
            sender.stop()
        receipts = arrived(server, writer)

    for sender in senders:
        assert in_order_of(sender, receipts) == sender.accepted


def test_a_redis_out_of_memory_keeps_room_for_what_empties_it_and_loses_nothing(server, tmp_path):
    redis = Redis.from_url(server.url)
    with writer_for(server, tmp_path) as writer:
        redis.config_set("maxmemory", "40mb")
        sender = Sender(writer, 1_000_000, size=60_000)
        sender.wait_for_way("spool")
        sender.wait_for(20)
        lease = redis.set("lease", "x" * 1_000, nx=True)
        redis.config_set("maxmemory", "0")
        sender.wait_for_way("inbox")
        sender.stop()
        receipts = arrived(server, writer)
    redis.close()

    assert lease
    assert receipts == sender.accepted


def test_a_full_redis_that_refuses_sends_hooks_to_the_spool(server, tmp_path):
    redis = Redis.from_url(server.url)
    redis.config_set("maxmemory", "1")
    with writer_for(server, tmp_path) as writer:
        ways = [writer.submit(hook(number)) for number in range(5)]
        redis.config_set("maxmemory", "0")
        receipts = arrived(server, writer)
    redis.close()

    assert (set(ways), receipts) == ({"spool"}, [f"r{number}" for number in range(5)])


def test_an_emptied_redis_goes_on(server, tmp_path):
    redis = Redis.from_url(server.url)
    with writer_for(server, tmp_path) as writer:
        writer.submit(hook(1))
        stream.read(redis, 10, 1_000_000)
        redis.flushall()
        writer.submit(hook(2))
        after = [entry.receipt for entry in stream.read(redis, 10, 1_000_000)]
    redis.close()

    assert after == ["r2"]


def test_a_reader_continues_where_a_killed_one_stopped(server):
    redis = Redis.from_url(server.url)
    stream.add_all(redis, [hook(number) for number in range(1, 11)])
    stream.read(redis, 5, 1_000_000)
    server.kill()
    server.start()

    assert [entry.receipt for entry in stream.read(redis, 10, 1_000_000)] == [f"r{number}" for number in range(1, 11)]
    redis.close()


def test_a_redis_that_refuses_the_password_loses_no_hook(server, tmp_path):
    redis = Redis.from_url(server.url)
    with writer_for(server, tmp_path) as writer:
        redis.config_set("requirepass", "changed")
        redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        way = writer.submit(hook(1))
    with pytest.raises(RedisError):
        Redis.from_url(server.url).ping()
    redis.close()

    assert way == "spool"
