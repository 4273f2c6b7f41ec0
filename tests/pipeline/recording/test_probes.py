"""Canaries that come as hooks are noted, and are nothing else; what only calls itself so is a stranger's."""

from __future__ import annotations

import pytest

from pipeline.core.hooks import CANARY
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.monitoring.canaries import claim_canary, list_newest_canaries, request_canary
from pipeline.ledger.schema import core
from tests.builders import NOW, order
from tests.pipeline.recording.test_batch import failure


@pytest.fixture
def sent(teller):
    """One that was sent to the store's address."""
    with writing(teller.engine) as db:
        request_canary(db, 1, "0a1b", NOW - 9)
        [one] = list_newest_canaries(db, 1)
        claim_canary(db, one.id, NOW - 5)


def arrived(teller):
    with reading(teller.engine) as db:
        return [one.arrived_at for one in list_newest_canaries(db, 9)]


def test_one_that_comes_is_noted_and_is_no_event(teller, sent):
    recorded = teller.tell(teller.hook(CANARY, {CANARY: "0a1b"}), teller.hook("order_new", order()))

    assert arrived(teller) == [NOW + 1]
    assert (recorded.events, recorded.dead, set(recorded.outcomes)) == (1, 0, {("order_new", "forwarded")})
    assert [row.name for row in teller.rows(core.Event)] == ["order_new"]


def test_one_that_comes_again_is_no_event_either(teller, sent):
    for _ in range(2):
        teller.told(CANARY, {CANARY: "0a1b"})

    assert (arrived(teller), teller.rows(core.Event)) == ([NOW + 1], [])


def test_one_that_failed_leaves_no_trace(teller, sent):
    canary = teller.hook(CANARY, {})
    raws = {canary["entry_id"]: (b'{"canary": "0a1b"}', None)}
    recorded = teller.tell(failed=[failure(canary, "poison")], raws=raws)

    assert (recorded.dead, arrived(teller), teller.rows(core.DeadHook)) == (0, [None], [])


@pytest.mark.parametrize(
    "raw",
    [
        b'{"canary": "aguess"}',
        b'{"canary": 1}',
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"canary": "\\u0000"}',
        b'{"canary": "\\ud800"}',
    ],
)
def test_a_strangers_that_failed_is_a_dead_hook(teller, sent, raw):
    stranger = teller.hook(CANARY, {})
    teller.tell(failed=[failure(stranger, "poison")], raws={stranger["entry_id"]: (raw, None)})

    assert [row.event for row in teller.rows(core.DeadHook)] == [CANARY]


@pytest.mark.parametrize(
    "body", [{CANARY: "aguess"}, {CANARY: 1}, {"0a1b": CANARY}, {CANARY: "\ud800"}, {CANARY: "\0"}, {}]
)
def test_a_stranger_who_calls_an_event_so_proves_nothing(teller, sent, body):
    teller.told(CANARY, body)

    assert arrived(teller) == [None]
    assert [(row.name, row.outcome) for row in teller.rows(core.Event)] == [(CANARY, "unknown_event")]
