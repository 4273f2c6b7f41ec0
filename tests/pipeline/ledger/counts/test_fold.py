"""Changes are added to the counts once; what is too old is deleted, and remembered as such."""

from __future__ import annotations

from sqlalchemy import select

from pipeline.ledger.counts.changes import add_changes, add_repeats
from pipeline.ledger.counts.fold import KEEP_HOURS, delete_old_counts, fold_changes, load_marks
from pipeline.ledger.counts.keys import NO_NAME, CountKey
from pipeline.ledger.engine import writing
from pipeline.ledger.schema.counts import CountChange, DailyCount, EventRepeat, HourlyCount, TotalCount

HOUR = 24 * 20_000


def rows(conn, model):
    return [tuple(row) for row in conn.execute(select(model.__table__).order_by(*model.__table__.primary_key))]


def test_changes_are_added_by_hour_by_day_and_in_total(shop):
    mine = shop.store.id
    with writing(shop.engine) as conn:
        add_changes(conn, {CountKey(mine, HOUR, "order_new", "forwarded"): 2, CountKey(0, HOUR, "x", "dead"): 1})
        fold_changes(conn)
        add_changes(conn, {CountKey(mine, HOUR + 1, "order_new", "forwarded"): 3})
        fold_changes(conn)

        assert rows(conn, CountChange) == []
        assert rows(conn, HourlyCount) == [
            (0, HOUR, "dead", 1),
            (mine, HOUR, "forwarded", 2),
            (mine, HOUR + 1, "forwarded", 3),
        ]
        assert rows(conn, DailyCount) == [(0, 20_000, "dead", 1), (mine, 20_000, "forwarded", 5)]
        assert rows(conn, TotalCount) == [(0, "x", "dead", 1), (mine, "order_new", "forwarded", 5)]


def test_a_change_without_a_name_is_in_no_total(shop):
    with writing(shop.engine) as conn:
        add_changes(conn, {CountKey(shop.store.id, HOUR, NO_NAME, "recovered"): 1})
        fold_changes(conn)

        assert (len(rows(conn, HourlyCount)), rows(conn, TotalCount)) == (1, [])


def test_a_store_that_was_removed_meanwhile_is_not_counted(shop):
    with writing(shop.engine) as conn:
        add_changes(conn, {CountKey(999, HOUR, "order_new", "forwarded"): 1})
        fold_changes(conn)

        assert (rows(conn, CountChange), rows(conn, HourlyCount)) == ([], [])


def test_old_hours_are_deleted_and_their_days_stay(shop):
    with writing(shop.engine) as conn:
        add_changes(conn, {CountKey(shop.store.id, HOUR, "order_new", "forwarded"): 1})
        add_repeats(conn, {(shop.store.id, 7, HOUR): 2})
        fold_changes(conn)

        assert delete_old_counts(conn, HOUR + KEEP_HOURS, KEEP_HOURS) == 0
        assert delete_old_counts(conn, HOUR + KEEP_HOURS + 1, 0) == 1
        assert delete_old_counts(conn, HOUR + KEEP_HOURS + 1, KEEP_HOURS) == 1
        assert (rows(conn, HourlyCount), rows(conn, EventRepeat), len(rows(conn, DailyCount))) == ([], [], 1)
        assert load_marks(conn) == {"hours": HOUR, "repeats": HOUR}


def test_repeats_of_an_event_in_one_hour_are_one_row(shop):
    with writing(shop.engine) as conn:
        add_repeats(conn, {(shop.store.id, 7, HOUR): 2})
        add_repeats(conn, {(shop.store.id, 7, HOUR): 1, (shop.store.id, 7, HOUR + 1): 1})

        assert rows(conn, EventRepeat) == [(shop.store.id, 7, HOUR, 3), (shop.store.id, 7, HOUR + 1, 1)]
