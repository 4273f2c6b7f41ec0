"""Canaries that come as hooks are noted, and are nothing else; what only calls itself so is a stranger's."""

from __future__ import annotations

import pytest

from pipeline.ledger import tables
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.silence.canaries import ask_for_canary, claim_canary, last_canaries
from pipeline.model import CANARY
from tests.builders import NOW, order


@pytest.fixture
def sent(teller):
    """One that was sent to the store's address."""
    with writing(teller.engine) as db:
        ask_for_canary(db, 1, "its number", NOW - 9)
        [one] = last_canaries(db, 1)
        claim_canary(db, one.id, NOW - 5)


def arrived(teller):
    with reading(teller.engine) as db:
        return [one.arrived_at for one in last_canaries(db, 9)]


def test_one_that_comes_is_noted_and_is_no_event(teller, sent):
    recorded = teller.tell(teller.hook(CANARY, {CANARY: "its number"}), teller.hook("order_new", order()))

    assert arrived(teller) == [NOW + 1]
    assert (recorded.events, recorded.dead, set(recorded.outcomes)) == (1, 0, {("order_new", "forwarded")})
    assert [row.name for row in teller.rows(tables.Event)] == ["order_new"]


def test_one_that_comes_again_is_no_event_either(teller, sent):
    for _ in range(2):
        teller.told(CANARY, {CANARY: "its number"})

    assert (arrived(teller), teller.rows(tables.Event)) == ([NOW + 1], [])


@pytest.mark.parametrize("body", [{CANARY: "a guess"}, {CANARY: 1}, {"its number": CANARY}, {}])
def test_a_stranger_who_calls_an_event_so_proves_nothing(teller, sent, body):
    teller.told(CANARY, body)

    assert arrived(teller) == [None]
    assert [(row.name, row.outcome) for row in teller.rows(tables.Event)] == [(CANARY, "unknown_event")]
