"""A body that kills whoever reads it is set aside after three tries; a reader that came back condemns nobody."""

from __future__ import annotations

import zlib

import pytest

from pipeline import keys
from pipeline.inbox.turn import end_turn, take_turn
from pipeline.ledger import tables
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
    """Its worker was killed: nothing follows, and the turn ends by itself."""
    end_turn(installed.process.redis, message.args[0]["token"])


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
    hooks = [order_hook(number) for number in range(1, 31)]
    installed.tell(*hooks[:15], a_hook(POISON), *hooks[15:])

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
