"""A closed month shows any change of its events, and no deletion by age counts as one."""

from __future__ import annotations

from hashlib import sha256

import pytest
from sqlalchemy import delete, update

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema.core import Body, Delivery, Event, EventPerson, EventSubject
from pipeline.ledger.schema.statements import Statement
from pipeline.operations.retention import DAY_US
from pipeline.operations.statements import (
    CLOSES_AFTER_US,
    build_statement,
    check_months,
    close_ended_months,
    parse_month,
    read_month_lines,
)
from tests.builders import NOW, order
from tests.contexts import make_context
from tests.pipeline.operations.retention_shop import orders

MARCH, APRIL = parse_month("2026-03"), parse_month("2026-04")


def close(shop, at):
    return close_ended_months(make_context(shop.engine, shop.redis, lambda: at + CLOSES_AFTER_US))


@pytest.fixture
def closed(quick):
    """A shop with two orders in March and one in April, both months closed."""
    orders(quick, 2)
    orders(quick, 1, at=APRIL.since + 5 * DAY_US, first=20_000)
    close(quick, APRIL.until)
    return quick


def check(shop):
    with reading(shop.engine) as conn:
        return {one.month: one.holds for one in check_months(conn, 1, "2026-12")}


def change(shop, statement):
    with writing(shop.engine) as conn:
        conn.execute(statement)


@pytest.mark.parametrize("days", [0, 20])
def test_a_month_is_closed_once_it_has_ended(quick, days):
    orders(quick, 2)

    assert close(quick, NOW + days * DAY_US) == 0
    assert close(quick, MARCH.until) == 1


def test_what_is_being_written_when_a_month_ends_is_waited_for(quick):
    """On PostgreSQL an event may be seen later than one with a larger id: the chain would miss it."""
    orders(quick, 2)

    assert (close(quick, MARCH.until - 1), close(quick, MARCH.until)) == (0, 1)


def test_on_both_databases_a_month_is_closed_once_and_holds(shop):
    orders(shop, 2)

    assert (close(shop, MARCH.until), close(shop, MARCH.until)) == (1, 0)
    assert check(shop) == {"2026-03": True}


def test_what_was_received_in_march_and_recorded_in_april_is_of_april(quick):
    quick.record(quick.hook("order_new", order(), at=MARCH.until - 1), at=MARCH.until + 1)
    close(quick, APRIL.until)

    assert [(row.month, row.events) for row in quick.rows(Statement)] == [("2026-03", 0), ("2026-04", 1)]


def test_anyone_can_compute_the_hash_from_the_lines(closed):
    with reading(closed.engine) as conn:
        found, lines = read_month_lines(conn, 1, "2026-04")
        for line in lines:
            found = sha256(f"{found} {line}".encode()).hexdigest()
        assert found == build_statement(conn, 1, APRIL).hash


def test_each_month_begins_with_the_hash_of_the_one_before(closed):
    march, april = closed.rows(Statement)

    assert (april.previous, march.previous) == (march.hash, "0" * 64)


def test_events_that_were_deleted_by_age_still_hold(closed):
    closed.send_all(at=APRIL.until)
    closed.sweep(600)

    assert (closed.rows(Event), check(closed)) == ([], {"2026-03": True, "2026-04": True})


@pytest.mark.parametrize(
    "statement",
    [
        update(Event).where(Event.id == 2).values(received_at=1),
        update(Event).where(Event.id == 2).values(happening="another"),
        delete(Event).where(Event.id == 2),
        update(Event).where(Event.id == 3).values(id=2_000),
    ],
    ids=["another time", "another identity", "taken out", "moved"],
)
def test_a_changed_event_is_found(closed, statement):
    for model in (Body, EventPerson, EventSubject, Delivery):
        change(closed, delete(model))
    change(closed, statement)

    assert not all(check(closed).values())


def test_a_statement_that_was_taken_out_is_found(closed):
    change(closed, delete(Statement).where(Statement.month == "2026-03"))

    assert check(closed) == {"2026-04": False}


def test_another_store_has_a_chain_of_its_own(closed):
    closed.recorder.add_store(2, "other")
    closed.record(closed.hook("order_new", order(id=1), store="other"), at=APRIL.until + 1)
    close(closed, APRIL.until + 40 * DAY_US)

    assert check(closed) == {"2026-03": True, "2026-04": True, "2026-05": True}


def test_an_open_month_has_counts_and_no_hash(quick):
    orders(quick, 2)

    with reading(quick.engine) as conn:
        found = build_statement(conn, 1, MARCH)

    assert (found.events, found.counts["received"], found.hash) == (2, 2, None)


def test_an_open_month_has_no_events_of_the_months_before(quick):
    orders(quick, 2)
    orders(quick, 1, at=APRIL.since + DAY_US, first=20_000)

    with reading(quick.engine) as conn:
        assert build_statement(conn, 1, APRIL).events == 1


@pytest.mark.parametrize("month", ["2026-02", "2025-12"])
def test_a_month_before_the_first_event_has_no_statement(closed, month):
    with reading(closed.engine) as conn, pytest.raises(Misconfigured, match=f"nothing of {month} was received"):
        build_statement(conn, 1, parse_month(month))


@pytest.mark.parametrize("text", ["2026", "2026-13", "march", "9999-12"])
def test_what_is_no_month_is_refused(text):
    with pytest.raises(Misconfigured, match="is no month such as"):
        parse_month(text)
