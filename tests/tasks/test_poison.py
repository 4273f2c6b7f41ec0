"""A body that kills its workers is quarantined after three tries; a worker that survives a body counts no try."""

from __future__ import annotations

import threading
import zlib
from dataclasses import replace

import pytest
from redis import ConnectionError as RedisAway

from pipeline.inbox import chain_lease
from pipeline.inbox.chain_lease import acquire_chain_lease, release_chain_lease, renew_chain_lease
from pipeline.infra import redis_keys
from pipeline.ledger.schema import core
from pipeline.processing import decode as decoding
from tasks import delayed_actions
from tasks.chain import start_chain
from tests.installation import make_hook, order_hook
from tests.tasks.inline_worker import run_all, take_all_messages, take_message

POISON = b"kills"


pytestmark = pytest.mark.usefixtures("one_by_one")


@pytest.fixture(autouse=True)
def connection(installed):
    installed.connect({})


def begin(installed):
    """A chain that gets as far as its second link."""
    start_chain()
    take_message("hooks").work()
    return take_message("hooks")


def die(installed, message):
    """Its worker is killed in the midst of the link: nothing follows, and the turn runs out."""
    renew_chain_lease(installed.process.redis, message.args[0]["token"])
    expire_lease(installed)


def expire_lease(installed):
    """As time does to a lease that is not renewed."""
    installed.process.redis.delete(redis_keys.INBOX_LEASE)


def get_recorded(installed):
    return sorted(row.subject_id for row in installed.rows(core.Event))


def dead(installed):
    return [(row.reason, zlib.decompress(row.raw)) for row in installed.rows(core.DeadHook)]


def run_until_quiet(installed):
    """A worker that dies whenever the poison is in its hands, and its successors."""
    for _ in range(60):
        message = begin(installed)
        if message is None:
            return
        bodies = installed.process.redis.xrange(redis_keys.INBOX)
        read = {hook["entry_id"] for part in ("hooks", "failed") for hook in message.args[0][part]}
        reasons = {hook["reason"] for hook in message.args[0]["failed"]}
        if "poison" not in reasons and any(
            fields[b"b"] == POISON for entry, fields in bodies if entry.decode() in read
        ):
            die(installed, message)
        else:
            message.work()
            take_message("hooks").work()
            take_all_messages("hooks")
            take_all_messages("deliveries")
    raise AssertionError("it never came to rest")


def test_poison_is_stored_with_its_raw_body_and_all_other_hooks_go_on(installed):
    innocent = [order_hook(number) for number in range(1, 31)]
    installed.receive(*innocent[:15], make_hook(POISON), *innocent[15:])

    run_until_quiet(installed)

    assert dead(installed) == [("poison", POISON)]
    assert get_recorded(installed) == list(range(1, 31))


def test_after_a_killed_worker_batches_are_smaller(installed):
    installed.receive(*(order_hook(number) for number in range(1, 31)))
    sizes = []

    for _ in range(3):
        message = begin(installed)
        sizes.append(len(message.args[0]["hooks"]))
        die(installed, message)

    assert sizes == [30, 10, 1]


def test_poison_that_is_sent_again_is_recognised_at_once(installed):
    installed.receive(make_hook(POISON))
    run_until_quiet(installed)
    installed.receive(make_hook(POISON))

    message = begin(installed)

    assert [hook["reason"] for hook in message.args[0]["failed"]] == ["poison"]


@pytest.mark.parametrize("name", ["acquire_chain_lease", "park_chain_lease"])
def test_a_redis_that_does_not_answer_the_first_link_counts_no_try(installed, monkeypatch, name):
    installed.receive(order_hook(1))

    for _ in range(4):
        with monkeypatch.context() as patched:
            patched.setattr(chain_lease, name, silent)
            start_chain()
            take_message("hooks").work()
        expire_lease(installed)

    start_chain()
    run_all("hooks")
    assert (get_recorded(installed), dead(installed)) == ([1], [])


@pytest.mark.parametrize("name", ["renew_chain_lease", "park_chain_lease"])
def test_a_redis_that_does_not_answer_the_second_link_counts_no_try(installed, monkeypatch, name):
    installed.receive(order_hook(1))
    real = getattr(chain_lease, name)

    for _ in range(4):
        message = begin(installed)
        with monkeypatch.context() as patched:
            patched.setattr(chain_lease, name, lambda *arguments: silent(real(*arguments)))
            message.work()
        expire_lease(installed)

    start_chain()
    run_all("hooks")
    assert (get_recorded(installed), dead(installed)) == ([1], [])


def silent(*_):
    """Redis may have done what it was asked; its answer never comes."""
    raise RedisAway


def test_the_lease_is_released_once_redis_is_back(installed, monkeypatch):
    installed.receive(order_hook(1))
    real, refusals = chain_lease.release_chain_lease, iter([1, 1])
    released = threading.Event()

    def end_turn(*arguments):
        if next(refusals, None):
            silent()
        real(*arguments)
        released.set()

    monkeypatch.setattr(delayed_actions, "RETRY_INTERVAL_S", 0.01)
    monkeypatch.setattr(chain_lease, "park_chain_lease", silent)
    monkeypatch.setattr(chain_lease, "release_chain_lease", end_turn)
    start_chain()
    take_message("hooks").work()

    assert released.wait(60)
    assert not installed.process.redis.exists(redis_keys.CURRENT_BATCH, redis_keys.INBOX_LEASE)


def test_links_that_are_lost_count_no_try(installed):
    installed.receive(order_hook(1))

    for _ in range(4):
        begin(installed)
        expire_lease(installed)

    start_chain()
    run_all("hooks")
    assert (get_recorded(installed), dead(installed)) == ([1], [])


def test_a_batch_in_an_unknown_encoding_counts_no_try(installed):
    installed.receive(order_hook(1))

    for _ in range(4):
        replace(begin(installed), args=["z9:packed"]).work()
        expire_lease(installed)

    start_chain()
    run_all("hooks")
    assert (get_recorded(installed), dead(installed)) == ([1], [])


def test_a_body_that_takes_all_memory_is_quarantined_as_poison(installed, monkeypatch):
    installed.receive(make_hook(POISON), order_hook(1))
    real = decoding.decode

    def decode(raw, query):
        if raw == POISON:
            raise MemoryError
        return real(raw, query)

    monkeypatch.setattr(decoding, "decode", decode)
    for _ in range(6):
        start_chain()
        run_all("hooks")
        expire_lease(installed)

    assert (get_recorded(installed), dead(installed)) == ([1], [("poison", POISON)])


@pytest.mark.parametrize("place", [1, 2])
def test_losing_the_lease_counts_no_try(installed, place):
    installed.receive(order_hook(1))

    for _ in range(4):
        message = begin(installed)
        if place == 2:
            message.work()
            message = take_message("hooks")
        redis = installed.process.redis
        release_chain_lease(redis, message.args[0]["token"])
        other = acquire_chain_lease(redis)
        message.work()
        release_chain_lease(redis, other)

    start_chain()
    run_all("hooks")
    assert (get_recorded(installed), dead(installed)) == ([1], [])


def test_a_database_that_is_away_for_long_counts_no_try(installed):
    installed.receive(order_hook(1))

    with installed.ledger_away():
        for _ in range(5):
            start_chain()
            run_all("hooks")

    start_chain()
    run_all("hooks")
    assert (get_recorded(installed), dead(installed)) == ([1], [])
