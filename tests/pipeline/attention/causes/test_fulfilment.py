"""What of the fulfilment needs a person, and what does not."""

from __future__ import annotations

import pytest

from pipeline.attention.causes import fulfilment
from pipeline.core.fulfilment import Package, State
from pipeline.ledger.engine import make_engine, writing
from pipeline.ledger.fulfilment.orders import NewOrder, insert_order
from pipeline.ledger.fulfilment.quarantine import quarantine_packages
from pipeline.ledger.fulfilment.warehouses import pause_warehouse, save_warehouse, update_warehouse
from tests.contexts import make_context
from tests.pipeline.ledger.rows import NOW, add_store

DAY = 86_400_000_000


class LiveShop:
    """A store with a live warehouse."""

    def __init__(self, engine):
        self.engine = engine
        self.context = make_context(engine)
        with writing(engine) as conn:
            self.store_id = add_store(conn, "acme").id
            save_warehouse(conn, self.store_id, "cartrover", b"sealed", NOW - 9 * DAY)
        self.change(mode="live", settings={"earliest_order_at": "2026-01-01T00:00:00Z"})

    def change(self, **changed):
        with writing(self.engine) as conn:
            update_warehouse(conn, self.store_id, **changed)

    def add(self, number, state, reason=None, at=NOW - 9 * DAY, **columns):
        new = NewOrder(self.store_id, number, f"SUB-{number}", "subscription", "adhoc", state, reason)
        with writing(self.engine) as conn:
            insert_order(conn, new, at, **columns)

    def find(self, cause):
        return [item.headline for item in cause.find_items(self.context)]


@pytest.fixture
def live(migrated_sqlite, tmp_path):
    path = tmp_path / "ledger.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    engine = make_engine(f"sqlite:///{path}")
    yield LiveShop(engine)
    engine.dispose()


def test_a_healthy_shop_needs_no_person(live):
    live.add(1, State.CONFIRMED, confirmed_at=NOW)
    live.add(2, State.DISCOVERED, "not_due")
    live.add(3, State.HELD, "unpaid")

    causes = [value for name, value in vars(fulfilment).items() if name.endswith("_CAUSE")]
    assert [live.find(cause) for cause in causes] == [[]] * 7


def test_boxes_that_have_not_moved_for_two_weeks_are_reported_with_all_ages(live):
    live.add(1, State.AT_WAREHOUSE, sent_at=NOW)
    live.add(2, State.DISCOVERED, "not_due", next_attempt_at=NOW + DAY)
    live.add(3, State.CONFIRMED)
    assert live.find(fulfilment.OLD_CAUSE) == []

    live.add(4, State.CANCEL_REQUESTED, at=NOW - 15 * DAY)
    (item,) = fulfilment.OLD_CAUSE.find_items(live.context)

    assert item.headline == "acme: boxes have been in one state for more than 14 days"
    assert item.effect == (
        "Of those on their way: 1 cancel requested (the oldest for 15 days), 1 at warehouse (the oldest for 9 days)."
    )
    assert "--state cancel_requested" in item.to_do


def test_held_boxes_are_one_item_for_each_reason(live):
    live.add(1, State.HELD, "conflict")
    live.add(2, State.HELD, "conflict")
    live.add(3, State.FAILED, "delivery_failed")

    assert live.find(fulfilment.BOXES_CAUSE) == [
        "acme: 1 box (SUB-3) is failed: The warehouse could not be given the order",
        "acme: 2 boxes (SUB-2, SUB-1) are held: The warehouse has another order under this number",
    ]


def test_what_a_person_has_seen_is_not_listed_again(live):
    live.add(1, State.SHIPPED_AFTER_CANCEL, "seen_by_person")

    assert live.find(fulfilment.BOXES_CAUSE) == []


def test_a_dry_run_asks_no_person_about_single_boxes(live):
    live.add(1, State.HELD, "conflict")
    live.change(mode="dry_run")

    assert live.find(fulfilment.BOXES_CAUSE) == []


def test_a_box_that_a_warehouse_before_sends_all_the_same_is_named_in_dry_run_too(live):
    live.add(1, State.CANCEL_REFUSED, "other_warehouse")
    live.change(mode="dry_run")

    assert len(live.find(fulfilment.BOXES_CAUSE)) == 1


def test_a_paused_warehouse_is_named_with_its_reason(live):
    with writing(live.engine) as conn:
        pause_warehouse(conn, live.store_id, "the warehouse refuses the keys", NOW)

    assert live.find(fulfilment.PAUSED_CAUSE) == ["acme: its warehouse is paused: the warehouse refuses the keys"]


def test_a_warehouse_that_has_not_answered_for_long_is_named(live):
    live.change(failures=8, trouble="no_answer", wait_until=NOW)

    assert live.find(fulfilment.AWAY_CAUSE) == ["acme: its warehouse does not answer"]


def test_tracking_of_no_box_is_counted(live):
    with writing(live.engine) as conn:
        quarantine_packages(conn, live.store_id, "SUB-9", [Package("TEST1")], NOW, is_complete=True)

    assert live.find(fulfilment.QUARANTINE_CAUSE) == ["acme: its warehouse has shown 1 parcel of no box that was sent"]


def test_a_change_after_the_sending_is_shown_until_it_is_put_away(live):
    live.add(1, State.AT_WAREHOUSE, notice="address_changed", notice_at=NOW)
    live.add(2, State.AT_WAREHOUSE, notice="address_changed", notice_at=None)

    (headline,) = live.find(fulfilment.NOTICES_CAUSE)
    assert "SUB-1" in headline
    assert "SUB-2" not in headline


@pytest.mark.parametrize(
    ("state", "columns", "title"),
    [
        (State.READY, {"due_at": NOW - DAY}, "paid and not sent"),
        (State.AT_WAREHOUSE, {"sent_at": NOW - 6 * DAY}, "sent, without tracking"),
        (State.SHIPPED, {"shipped_at": NOW - DAY}, "shipped, and the customer was not informed"),
    ],
)
def test_each_of_the_three_lists_is_an_item_when_it_is_not_empty(live, state, columns, title):
    live.add(1, state, **columns)

    assert live.find(fulfilment.LATE_CAUSE) == [f"acme: 1 box {title}: SUB-1"]
