"""Tries and limits of time in a task that runs several links and batches: only the link at work counts."""

from __future__ import annotations

import zlib

import pytest

from pipeline.inbox import stream
from pipeline.infra import redis_keys
from pipeline.ledger.schema import core
from pipeline.processing import chain_run, validate
from pipeline.processing import decode as decoding
from tasks.chain import start_chain
from tests.installation import make_hook, order_hook
from tests.tasks.inline_worker import run_all

POISON = b'{"kills": 1}'


class Killed(BaseException):
    """The end of a process: nothing of the task runs after it."""


@pytest.fixture(autouse=True)
def connection(installed):
    installed.connect({})


@pytest.fixture
def tried(monkeypatch):
    """How often the poison was begun. It kills its worker while it is decoded."""
    begun, real = [], decoding.decode

    def decode(raw, query):
        if raw == POISON:
            begun.append(1)
            raise Killed
        return real(raw, query)

    monkeypatch.setattr(decoding, "decode", decode)
    return begun


def get_recorded(installed):
    return sorted(row.subject_id for row in installed.rows(core.Event))


def get_dead(installed):
    return [(row.reason, zlib.decompress(row.raw)) for row in installed.rows(core.DeadHook)]


def run_and_die(redis, killed=Killed):
    """A worker that ends in the middle of its task, and the end of its lease."""
    start_chain()
    with pytest.raises(killed):
        run_all("hooks")
    redis.delete(redis_keys.INBOX_LEASE)


@pytest.mark.usefixtures("small_batches")
def test_a_body_that_kills_in_a_later_batch_is_quarantined_and_all_others_are_recorded(installed, redis, tried):
    installed.receive(order_hook(1), order_hook(2), make_hook(POISON), order_hook(3), order_hook(4))
    for _ in range(3):
        run_and_die(redis)
    start_chain()
    run_all("hooks")

    assert len(tried) == 3
    assert (get_recorded(installed), get_dead(installed)) == ([1, 2, 3, 4], [("poison", POISON)])


@pytest.mark.usefixtures("small_batches")
def test_a_batch_that_was_recorded_before_the_worker_was_killed_counts_no_try(installed, redis, tried):
    installed.receive(order_hook(1), order_hook(2), make_hook(POISON))
    run_and_die(redis)
    start_chain()
    with pytest.raises(Killed):
        run_all("hooks")

    assert get_recorded(installed) == [1, 2]
    assert [int(count) for count in redis.hgetall(redis_keys.POISON_TRIES).values()] == [1]


@pytest.mark.parametrize(("link", "tries"), [("validate", 1), ("record", 0)])
def test_a_limit_of_time_counts_for_the_bodies_unless_they_are_being_recorded(
    installed, redis, monkeypatch, link, tries
):
    def strike(*_):
        raise Killed

    module, name = {"validate": (validate, "_load"), "record": (chain_run, "record_valid_hooks")}[link]
    with monkeypatch.context() as patched:
        patched.setattr(module, name, strike)
        installed.receive(order_hook(1))
        run_and_die(redis)
    start_chain()
    with monkeypatch.context() as patched:
        patched.setattr(chain_run, "validate_batch", strike)
        with pytest.raises(Killed):
            run_all("hooks")

    assert sum(map(int, redis.hgetall(redis_keys.POISON_TRIES).values())) == tries


@pytest.mark.usefixtures("small_batches")
def test_an_error_in_a_later_batch_gives_the_lease_back_and_counts_no_try(installed, redis, monkeypatch):
    real = chain_run.record_valid_hooks

    def record(*arguments):
        if get_recorded(installed):
            raise OSError(24, "too many open files")
        return real(*arguments)

    installed.receive(order_hook(1), order_hook(2), order_hook(3))
    with monkeypatch.context() as patched:
        patched.setattr(chain_run, "record_valid_hooks", record)
        start_chain()
        run_all("hooks")

    assert get_recorded(installed) == [1, 2]
    assert not redis.exists(redis_keys.INBOX_LEASE, redis_keys.CURRENT_BATCH, redis_keys.POISON_TRIES)
    start_chain()
    run_all("hooks")
    assert get_recorded(installed) == [1, 2, 3]


def test_the_raw_bodies_of_a_batch_are_read_once(installed, monkeypatch):
    monkeypatch.setattr(stream, "get_raw_bodies", pytest.fail)
    installed.receive(order_hook(1), make_hook(b"{"))
    start_chain()
    run_all("hooks")

    assert (get_recorded(installed), get_dead(installed)) == ([1], [("not_json", b"{")])
