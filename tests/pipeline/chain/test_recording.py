"""What becomes of a batch when the ledger refuses one of its hooks, or is not there at all."""

from __future__ import annotations

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import DBAPIError, OperationalError

from pipeline.chain.decoding import decode_batch
from pipeline.chain.recording import record
from pipeline.chain.validating import validate_batch
from pipeline.errors import StaleFence
from pipeline.inbox.raw_hook import from_fields
from pipeline.ledger import tables
from pipeline.ledger.engine import make_engine, reading
from tests.pipeline.chain.entries import ORDER, clock, entry
from tests.pipeline.record.conftest import Teller

REFUSED = "refuse me"


@pytest.fixture
def teller(engine):
    return Teller(engine)


def batch_of(*entries, token=1):
    batch = validate_batch(decode_batch(entries, token, clock), clock)
    for hook in batch["hooks"]:
        if hook["data"].get("note") == REFUSED:
            hook["decoded_at"] = None  # as a fault of ours might
    return batch


def recorded(engine, *entries, token=1):
    raws = {one.entry_id: (one.raw, one.query) for one in entries}
    return record(engine, batch_of(*entries, token=token), raws, clock)


def orders(*numbers):
    return [entry({**ORDER, "id": number}, number=number) for number in numbers]


def ids(teller):
    return sorted(row.subject_id for row in teller.rows(tables.Event))


def refused_order(number=99):
    """A hook that fits its schema and that the ledger cannot take; see `batch_of`."""
    return entry({**ORDER, "id": number, "note": REFUSED}, number=number)


@pytest.fixture
def commits(engine):
    counted = []
    listener = counted.append
    event.listen(engine, "commit", listener)
    yield counted
    event.remove(engine, "commit", listener)


def test_a_batch_is_one_transaction(teller, commits):
    commits.clear()

    recorded(teller.engine, *orders(*range(1, 40)))

    assert len(commits) == 1


@pytest.mark.parametrize("place", [0, 3, 7])
def test_one_hook_the_ledger_cannot_take_dies_alone(teller, place):
    hooks = orders(*range(1, 8))
    hooks.insert(place, refused_order())

    recorded(teller.engine, *hooks)

    assert ids(teller) == list(range(1, 8))
    assert [(row.receipt, row.stage, row.reason) for row in teller.rows(tables.DeadHook)] == [
        ("r99", "fan_out", "internal_error")
    ]


def test_the_order_stays_when_one_is_singled_out(teller):
    recorded(teller.engine, *orders(1, 2), refused_order(), *orders(3, 4))

    assert [row.subject_id for row in teller.rows(tables.Event)] == [1, 2, 3, 4]


def test_what_had_failed_before_is_buried_once_however_the_batch_is_cut(teller):
    recorded(teller.engine, entry(b"{", number=50), *orders(1, 2, 3), refused_order())

    assert [(row.receipt, row.times) for row in teller.rows(tables.DeadHook)] == [("r50", 1), ("r99", 1)]


def test_a_ledger_that_is_away_refuses_no_hook():
    away = make_engine("sqlite:////nowhere/at/all.db")

    with pytest.raises(OperationalError):
        recorded(away, *orders(1))


def test_a_connection_that_breaks_in_the_middle_refuses_no_hook(teller):
    def break_off(conn, cursor, statement, *_):
        if statement.startswith("INSERT INTO events"):
            raise DBAPIError(statement, {}, Exception("gone"), connection_invalidated=True)

    event.listen(teller.engine, "before_cursor_execute", break_off)
    try:
        with pytest.raises(DBAPIError):
            recorded(teller.engine, *orders(1))
    finally:
        event.remove(teller.engine, "before_cursor_execute", break_off)

    assert (teller.rows(tables.DeadHook), teller.rows(tables.Event)) == ([], [])


def test_a_holder_that_was_outrun_records_nothing(teller):
    recorded(teller.engine, *orders(1), token=5)

    with pytest.raises(StaleFence):
        recorded(teller.engine, *orders(2), token=4)

    assert ids(teller) == [1]


def test_an_entry_of_the_inbox_with_nothing_in_it_is_kept_as_dead(teller):
    strange = from_fields("7-0", {b"e": b"or\0der", b"q": b"a=\0", b"v": b"many", b"t": b"99999999999999999999"})

    recorded(teller.engine, strange)

    with reading(teller.engine) as db:
        assert db.execute(select(tables.DeadHook.receipt)).scalars().all() == ["7-0"]


HOSTILE = {
    "a null character": {**ORDER, "note": "a\0b", "x\0y": "\0", "customer": {"id": 1, "email": "a\0@example.com"}},
    "half a character": rb'{"id": 5, "note": "\ud800", "\udc00": 1, "customer": {"id": 3, "email": "q\ud800@e.org"}}',
    "a number no column holds": {**ORDER, "id": 2**70, "total": 10**40, "customer": {"id": -(2**70)}},
    "a time beyond time": {**ORDER, "placed_at": 10**30},
    "the first and the last day": {**ORDER, "placed_at": "9999-12-31T23:59:59Z", "customer": {"id": 1, "x": "0001"}},
    "no number": b'{"id": 5, "zodiac": NaN, "customer": {"id": 3, "email": "a@example.com"}}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_no_body_makes_the_ledger_stumble(teller, body):
    recorded(teller.engine, entry(body))

    assert "internal_error" not in [row.reason for row in teller.rows(tables.DeadHook)]
    assert len(teller.rows(tables.Event)) + len(teller.rows(tables.DeadHook)) == 1
