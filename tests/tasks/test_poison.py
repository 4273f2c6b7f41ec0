"""A body that kills whoever reads it is set aside after three tries; a reader that came back condemns nobody."""

from __future__ import annotations

import threading
import zlib
from dataclasses import replace

import pytest
from redis import ConnectionError as RedisAway

from pipeline import keys
from pipeline.chain import decoding
from pipeline.inbox.turn import end_turn, keep_turn, take_turn
from pipeline.ledger import tables
from tasks import hooks, later
from tasks.kick import publish
from tests.installation import a_hook, order_hook
from tests.tasks.by_hand import take, take_all, work_off

POISON = b"kills"


@pytest.fixture(autouse=True)
def connection(installed):
    installed.connect({})


def begin(installed):
    """A chain that gets as far as its second link."""
    publish()
    take("hooks").work()
    return take("hooks")


def die(installed, message):
    """Its worker is killed in the midst of the link: nothing follows, and the turn runs out."""
    keep_turn(installed.process.redis, message.args[0]["token"])
    run_out(installed)


def run_out(installed):
    """What time does to a turn nobody keeps."""
    installed.process.redis.delete(keys.INBOX_LEASE)


def told(installed):
    return sorted(row.subject_id for row in installed.rows(tables.Event))


def dead(installed):
    return [(row.reason, zlib.decompress(row.raw)) for row in installed.rows(tables.DeadHook)]


def run_until_quiet(installed):
    """A worker that dies whenever the poison is in its hands, and its successors."""
    for _ in range(60):
        message = begin(installed)
        if message is None:
            return
        bodies = installed.process.redis.xrange(keys.INBOX)
        read = {one["entry_id"] for part in ("hooks", "failed") for one in message.args[0][part]}
        reasons = {one["reason"] for one in message.args[0]["failed"]}
        if "poison" not in reasons and any(
            fields[b"b"] == POISON for entry, fields in bodies if entry.decode() in read
        ):
            die(installed, message)
        else:
            message.work()
            take("hooks").work()
            take_all("hooks")
            take_all("deliveries")
    raise AssertionError("it never came to rest")


def test_poison_is_set_aside_with_its_bytes_and_everybody_else_goes_on(installed):
    innocent = [order_hook(number) for number in range(1, 31)]
    installed.tell(*innocent[:15], a_hook(POISON), *innocent[15:])

    run_until_quiet(installed)

    assert dead(installed) == [("poison", POISON)]
    assert told(installed) == list(range(1, 31))


def test_after_a_death_less_is_read_at_once(installed):
    installed.tell(*(order_hook(number) for number in range(1, 31)))
    sizes = []

    for _ in range(3):
        message = begin(installed)
        sizes.append(len(message.args[0]["hooks"]))
        die(installed, message)

    assert sizes == [30, 10, 1]


def test_poison_that_is_sent_again_is_known_at_once(installed):
    installed.tell(a_hook(POISON))
    run_until_quiet(installed)
    installed.tell(a_hook(POISON))

    message = begin(installed)

    assert [one["reason"] for one in message.args[0]["failed"]] == ["poison"]


@pytest.mark.parametrize("name", ["take_turn", "hand_turn_on"])
def test_a_redis_that_does_not_answer_the_first_link_condemns_nobody(installed, monkeypatch, name):
    installed.tell(order_hook(1))

    for _ in range(4):
        with monkeypatch.context() as patched:
            patched.setattr(hooks, name, silent)
            publish()
            take("hooks").work()
        run_out(installed)

    publish()
    work_off("hooks")
    assert (told(installed), dead(installed)) == ([1], [])


@pytest.mark.parametrize("name", ["keep_turn", "hand_turn_on"])
def test_a_redis_that_does_not_answer_the_second_link_condemns_nobody(installed, monkeypatch, name):
    installed.tell(order_hook(1))
    real = getattr(hooks, name)

    for _ in range(4):
        message = begin(installed)
        with monkeypatch.context() as patched:
            patched.setattr(hooks, name, lambda *arguments: silent(real(*arguments)))
            message.work()
        run_out(installed)

    publish()
    work_off("hooks")
    assert (told(installed), dead(installed)) == ([1], [])


def silent(*_):
    """Redis may have done what it was asked; its answer never comes."""
    raise RedisAway


def test_a_redis_that_is_back_later_hears_that_the_reader_came_back(installed, monkeypatch):
    installed.tell(order_hook(1))
    real, refusals = hooks.end_turn, iter([1, 1])
    heard = threading.Event()

    def end_turn(*arguments):
        if next(refusals, None):
            silent()
        real(*arguments)
        heard.set()

    monkeypatch.setattr(later, "AGAIN", 0.01)
    monkeypatch.setattr(hooks, "hand_turn_on", silent)
    monkeypatch.setattr(hooks, "end_turn", end_turn)
    publish()
    take("hooks").work()

    assert heard.wait(60)
    assert not installed.process.redis.exists(keys.TRIED, keys.INBOX_LEASE)


def test_links_that_are_lost_on_their_way_condemn_nobody(installed):
    installed.tell(order_hook(1))

    for _ in range(4):
        begin(installed)
        run_out(installed)

    publish()
    work_off("hooks")
    assert (told(installed), dead(installed)) == ([1], [])


def test_a_batch_packed_as_no_version_here_can_read_condemns_nobody(installed):
    installed.tell(order_hook(1))

    for _ in range(4):
        replace(begin(installed), args=["z9:packed"]).work()
        run_out(installed)

    publish()
    work_off("hooks")
    assert (told(installed), dead(installed)) == ([1], [])


def test_a_body_that_takes_all_memory_is_set_aside_as_poison(installed, monkeypatch):
    installed.tell(a_hook(POISON), order_hook(1))
    real = decoding.decode

    def decode(raw, query):
        if raw == POISON:
            raise MemoryError
        return real(raw, query)

    monkeypatch.setattr(decoding, "decode", decode)
    for _ in range(6):
        publish()
        work_off("hooks")
        run_out(installed)

    assert (told(installed), dead(installed)) == ([1], [("poison", POISON)])


@pytest.mark.parametrize("place", [1, 2])
def test_losing_the_turn_is_no_death(installed, place):
    installed.tell(order_hook(1))

    for _ in range(4):
        message = begin(installed)
        if place == 2:
            message.work()
            message = take("hooks")
        redis = installed.process.redis
        end_turn(redis, message.args[0]["token"])
        other = take_turn(redis)
        message.work()
        end_turn(redis, other)

    publish()
    work_off("hooks")
    assert (told(installed), dead(installed)) == ([1], [])


def test_a_ledger_that_is_away_for_long_condemns_nobody(installed):
    installed.tell(order_hook(1))

    with installed.ledger_away():
        for _ in range(5):
            publish()
            work_off("hooks")

    publish()
    work_off("hooks")
    assert (told(installed), dead(installed)) == ([1], [])
