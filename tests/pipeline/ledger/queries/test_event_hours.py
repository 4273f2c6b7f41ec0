"""Events by hour and day, and what is usual, from the kept counts."""

from __future__ import annotations

import pytest

from pipeline.ledger.counts.changes import add_changes
from pipeline.ledger.counts.fold import fold_changes
from pipeline.ledger.counts.keys import HOUR_US, CountKey
from pipeline.ledger.engine import writing
from pipeline.ledger.queries import UsualRange, count_day, load_event_hours, load_usual_days, load_usual_hours
from tests.pipeline.ledger.rows import NOW

DAY = NOW // (24 * HOUR_US) + 100  # long after the store was connected
HOUR = DAY * 24
WEEK = 7 * 24


def add(conn, store_id, hour, number, outcome="forwarded"):
    add_changes(conn, {CountKey(store_id, hour, "order_new", outcome): number})


def test_events_of_an_hour_are_those_of_every_outcome_but_no_repeats(shop):
    mine = shop.store.id
    with writing(shop.engine) as conn:
        add(conn, mine, HOUR, 2)
        fold_changes(conn)
        add(conn, mine, HOUR, 1, "nobody")
        add(conn, mine, HOUR + 1, 4)
        for outcome in ("duplicate", "dead", "recovered", "took_07", "deleted_refused"):
            add(conn, mine, HOUR, 10, outcome)

        assert load_event_hours(conn, [mine], HOUR, HOUR + 24) == {mine: {HOUR: 3, HOUR + 1: 4}}
        assert load_event_hours(conn, [mine], HOUR + 1, HOUR + 24) == {mine: {HOUR + 1: 4}}
        assert count_day(conn, [mine], DAY) == {mine: 7}


@pytest.mark.parametrize(
    ("numbers", "usual"),
    [((5, 9), None), ((5, 9, 7), UsualRange(5, 9)), ((5, 9, 7, 500, 6, 1), UsualRange(5, 9))],
)
def test_what_is_usual_on_this_weekday(shop, monkeypatch, numbers, usual):
    monkeypatch.setattr("pipeline.ledger.queries.event_hours.USUAL_WEEKS", len(numbers))
    mine = shop.store.id
    with writing(shop.engine) as conn:
        for week, number in enumerate(numbers, start=1):
            add(conn, mine, HOUR - week * WEEK, number)
            add(conn, mine, HOUR - week * WEEK, 100, "duplicate")
        fold_changes(conn)

        assert load_usual_days(conn, [mine], DAY) == ({mine: usual} if usual else {})
        assert load_usual_hours(conn, mine, HOUR, HOUR + 1) == ({HOUR: usual} if usual else {})


def test_days_before_the_store_was_connected_say_nothing(shop):
    created = NOW // HOUR_US // 24
    with writing(shop.engine) as conn:
        assert load_usual_days(conn, [shop.store.id], created + 14) == {}
        assert load_usual_days(conn, [shop.store.id], created + 28) == {shop.store.id: UsualRange(0, 0)}
        assert load_usual_hours(conn, 999, HOUR, HOUR + 1) == {}
