"""Old data is deleted by a clock that the test holds, on both databases; what was deleted does not come back."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from pipeline.core.hooks import REPLAY
from pipeline.ledger.deliveries.stopped import EMPTY_MESSAGE
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import count_events
from pipeline.ledger.queries.counts import count_events_by_store
from pipeline.ledger.retention.kinds import KINDS
from pipeline.ledger.schema import core
from pipeline.ledger.schema.all_tables import list_all_tables
from pipeline.operations.retention import DAY_US, PASS_INTERVAL_US
from tests.builders import NOW, customer, gift_order, order, shipment
from tests.contexts import make_context
from tests.pipeline.operations.retention_shop import sell_and_send

KEPT_FOR = {"bodies": 30, "messages": 90, "calls": 30, "dead_hooks": 90, "events": 400, "attribute_changes": 400}
OF_EVENTS = (core.Event, core.Body, core.EventPerson, core.EventSubject)


def test_nothing_young_is_deleted(quick):
    sold = sell_and_send(quick)
    assert sold.sweep(29.9) == {}
    assert 0 not in sold.count(*OF_EVENTS, core.Delivery, core.DeliveryCall, core.Call)


def test_raw_bodies_and_calls_go_after_a_month_and_nothing_else(sold):
    assert sold.sweep(30.1) == {"bodies": 1, "calls": 1}
    assert sold.count(core.Body, core.Call, core.DeliveryCall) == [0, 0, 0]
    assert sold.count(core.Event, core.EventPerson, core.Delivery) == [1, 1, 2]


def test_messages_are_emptied_and_their_outcomes_stay(sold):
    assert sold.sweep(90.1)["messages"] == 2
    assert [(row.status, row.done_at, row.message) for row in sold.rows(core.Delivery)] == [
        ("sent", NOW, EMPTY_MESSAGE)
    ] * 2


def test_a_message_counts_from_when_it_was_done(quick):
    shop = quick
    shop.record(shop.hook("order_new", order()))
    shop.send_all(at=NOW + 80 * DAY_US)

    assert "messages" not in shop.sweep(169)
    assert shop.sweep(171)["messages"] == 2


def test_profiles_of_no_event_are_deleted_with_their_calls(sold):
    with writing(sold.engine) as conn:
        conn.execute(update(core.Delivery).where(core.Delivery.kind == "profile").values(event_id=None))

    sold.sweep(90.1, keep_calls_days=0)

    assert [row.kind for row in sold.rows(core.Delivery)] == ["event"]
    assert len(sold.rows(core.DeliveryCall)) == 1


def test_an_event_goes_with_all_that_belongs_to_it(sold):
    assert sold.sweep(400.1)["events"] == 1
    assert sold.count(*OF_EVENTS, core.Delivery, core.DeliveryCall) == [0] * 6


def test_people_stay(quick):
    sold = sell_and_send(quick)
    sold.sweep(4000)

    assert 0 not in sold.count(core.Person, core.PersonKey, core.Fact, core.ProfileSent)


def test_an_event_with_an_open_message_stays_until_it_is_sent(shop):
    shop.record(shop.hook("order_new", order()))

    shop.sweep(500)
    assert shop.count(core.Event, core.Delivery) == [1, 2]
    assert all(row.message["data"] for row in shop.rows(core.Delivery))

    shop.send_all(at=NOW + 500 * DAY_US)
    shop.sweep(501)
    assert shop.count(core.Event, core.Delivery) == [0, 0]


@pytest.mark.parametrize("kind", KEPT_FOR)
def test_zero_keeps_for_ever(quick, kind):
    sold = sell_and_send(quick)
    settings = {f"keep_{name}_days": 0 for name in KEPT_FOR}

    assert sold.sweep(40_000, **settings) == {}
    assert set(sold.sweep(40_000, **settings | {f"keep_{kind}_days": 1})) <= {kind}


def test_dead_hooks_go_and_are_counted(shop):
    failed = {**shop.hook("order_new", {}), "stage": "decode", "reason": "not_json", "detail": {}}
    shop.record(failed=[failed])
    shop.sweep(89)
    before = len(shop.rows(core.DeadHook))

    assert (before, shop.sweep(91)) == (1, {"dead_hooks": 1})
    with reading(shop.engine) as conn:
        counts = count_events(conn)
    assert (counts.dead_hooks, counts.deleted_dead_hooks, counts.by_outcome) == (0, 1, {})


def test_counts_of_events_do_not_fall(sold):
    again = sold.hook("order_new", order())
    sold.record(again, sold.hook("customer_new", customer()))
    with reading(sold.engine) as conn:
        before = count_events(conn), count_events_by_store(conn, [1, 2])

    sold.sweep(401)
    sold.send_all(at=NOW)
    sold.sweep(402)

    assert sold.count(core.Event) == [0]
    with reading(sold.engine) as conn:
        assert (count_events(conn), count_events_by_store(conn, [1, 2])) == before


def test_a_repeat_of_a_deleted_event_is_a_repeat(sold):
    event_id = sold.rows(core.Event)[0].id
    sold.sweep(401)

    result = sold.record(sold.hook("order_new", order(), at=NOW + 401 * DAY_US, receipt="late"), at=NOW + 401 * DAY_US)

    assert (result.events, result.duplicates, result.deliveries, result.repeats) == (0, 1, 0, {"late": event_id})
    assert sold.count(core.Event, core.Delivery) == [0, 0]


def test_a_replay_from_the_day_of_a_deleted_event_is_a_repeat(shop):
    """The identity of an update holds for a day, and a replay keeps the time at which its hook came."""
    updated = order(status="shipped")
    shop.record(shop.hook("order_updated", updated))
    shop.send_all()
    shop.sweep(401)

    result = shop.record(shop.hook("order_updated", updated, at=NOW + 5, source=REPLAY, receipt="dead"))

    assert (result.events, result.duplicates) == (0, 1)


def test_the_same_update_a_year_later_is_a_new_event(quick):
    shop = quick
    updated = order(status="shipped")
    shop.record(shop.hook("order_updated", updated))
    shop.send_all()
    shop.sweep(401)

    assert shop.record(shop.hook("order_updated", updated, at=NOW + 401 * DAY_US)).events == 1


def test_ids_never_come_back(sold):
    """Each with the largest id of its table."""
    failed = {**sold.hook("order_new", {}), "stage": "decode", "reason": "not_json", "detail": {}}
    sold.record(failed=[failed])
    numbered = (core.Event, core.Delivery, core.Call, core.DeadHook)
    before = [max(row.id for row in sold.rows(model)) for model in numbered]
    sold.sweep(500)
    assert sold.count(*numbered) == [0, 0, 0, 0]

    sold.record(sold.hook("order_new", order(id=9)), failed=[{**failed, "receipt": "another"}])
    sold.send_all()

    after = [min(row.id for row in sold.rows(model)) for model in numbered]
    assert all(new > old for new, old in zip(after, before, strict=True))


def test_a_recipient_who_is_known_late_gets_no_copies_of_deleted_events(shop):
    shop.record(shop.hook("shipment_shipped", shipment(fulfillments=[{"id": 1, "order_id": 7015}])))
    shop.send_all()
    shop.sweep(401)

    result = shop.record(shop.hook("order_new", gift_order()), at=NOW + 401 * DAY_US)

    assert result.events == 1
    assert {row.name for row in shop.rows(core.Delivery)} <= {"order_new", None}


def test_people_of_whom_nothing_is_left_go_if_the_setting_says_so(sold):
    kept = sold.sweep(400.1, keep_people_days=300)  # or their events would point to nothing
    assert "people" not in kept or kept["people"] == 1

    sold.sweep(400.2 + PASS_INTERVAL_US / DAY_US, keep_people_days=300)

    assert sold.count(core.Person, core.PersonKey, core.Fact, core.ProfileSent) == [0, 0, 0, 0]


def test_gifts_go_with_the_person_who_gave_them(shop):
    shop.record(shop.hook("order_new", gift_order()))
    shop.send_all()
    assert shop.rows(core.Gift)
    for day in (401, 402):
        shop.sweep(day, keep_people_days=300)

    assert shop.count(core.Gift, core.Person) == [0, 0]


def test_a_person_whose_event_is_kept_stays(quick):
    sold = sell_and_send(quick)
    sold.sweep(350, keep_people_days=300)

    assert sold.count(core.Person) == [1]


def test_every_row_that_points_to_a_deleted_row_is_deleted_or_keeps_it():
    """A new table with such a foreign key needs its place in `kinds`."""
    parents = {"events", "deliveries", "calls", "people", "bodies", "dead_hooks"}
    pointing = {
        table.name for table in list_all_tables() for key in table.foreign_keys if key.column.table.name in parents
    }

    assert pointing == {
        "bodies", "event_people", "event_subjects", "deliveries", "delivery_calls",
        "person_keys", "facts", "fact_rollups", "introductions", "consent_decisions", "attribute_changes",
        "person_terms", "tracking_numbers",
    }  # fmt: skip


def test_every_kind_has_a_setting_and_its_default():
    settings = make_context(None).settings

    defaults = {kind.name: getattr(settings, f"keep_{kind.name}_days") for kind in KINDS}
    assert defaults == KEPT_FOR | {"people": 0}
