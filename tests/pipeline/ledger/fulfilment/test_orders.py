"""Boxes in the ledger: one for each shipment, changed by one worker at a time, with an event for each change."""

from __future__ import annotations

import pytest

from pipeline.core.errors import OrderChanged
from pipeline.core.fulfilment import Package, State
from pipeline.ledger.engine import writing
from pipeline.ledger.fulfilment import packages, personal, quarantine, runs
from pipeline.ledger.fulfilment.events import EventDraft, list_order_events
from pipeline.ledger.fulfilment.orders import (
    NewOrder,
    change_order,
    find_order,
    find_shipments_of,
    get_order,
    insert_order,
    list_due_orders,
)
from pipeline.ledger.fulfilment.warehouses import find_warehouse, pause_warehouse, save_warehouse, update_warehouse
from tests.pipeline.ledger.rows import NOW

TRACKING = Package("TEST1", "USPS")
LINKED = Package("TEST1", "USPS", url="https://carrier.example/track?zip=00000")
DAY = 86_400_000_000


def add_box(conn, store_id, shipment_id=1, state=State.READY, **columns):
    new = NewOrder(store_id, shipment_id, f"SUB-{shipment_id}", "subscription", "adhoc", state)
    return insert_order(conn, new, NOW, **columns)


def test_a_shipment_has_one_box_however_often_it_is_seen(shop):
    with writing(shop.engine) as conn:
        first, second = (add_box(conn, shop.store.id) for _ in range(2))

    assert (first.order_number, second) == ("SUB-1", None)


def test_of_two_workers_that_read_the_same_box_one_changes_it(shop):
    with writing(shop.engine) as conn:
        seen = add_box(conn, shop.store.id)
        change_order(conn, seen, NOW + 1, EventDraft("sending"), state=State.SENDING)

        with pytest.raises(OrderChanged):
            change_order(conn, seen, NOW + 2, state=State.CANCELLED)

        assert get_order(conn, seen.id).state == State.SENDING


def test_every_change_of_state_is_written_down_with_the_state_before(shop):
    with writing(shop.engine) as conn:
        box = add_box(conn, shop.store.id, state=State.HELD)
        change_order(conn, box, NOW + 1, EventDraft("released", "unpaid", user_id=7), state=State.READY)
        events = list_order_events(conn, [box.id])

    said = [(event.kind, event.from_state, event.to_state, event.reason, event.user_id) for event in events]
    assert said == [("found", None, "held", None, None), ("released", "held", "ready", "unpaid", 7)]


def test_what_a_change_returns_is_what_the_ledger_has(shop):
    with writing(shop.engine) as conn:
        changed = change_order(conn, add_box(conn, shop.store.id), NOW + 5, state=State.HELD, reason="unpaid")

        assert changed == find_order(conn, shop.store.id, "SUB-1")


def test_a_state_that_is_left_takes_its_reason_along(shop):
    with writing(shop.engine) as conn:
        held = add_box(conn, shop.store.id, state=State.HELD)
        held = change_order(conn, held, NOW, reason="unpaid")
        ready = change_order(conn, held, NOW, state=State.READY)

    assert (held.reason, ready.reason) == ("unpaid", None)


def test_due_boxes_are_those_of_the_states_whose_time_has_come(shop):
    with writing(shop.engine) as conn:
        add_box(conn, shop.store.id, 1, next_attempt_at=NOW)
        add_box(conn, shop.store.id, 2, next_attempt_at=NOW + 1)
        add_box(conn, shop.store.id, 3, State.HELD)
        due = list_due_orders(conn, shop.store.id, {State.READY}, NOW, 10)

    assert [box.shipment_id for box in due] == [1]


@pytest.mark.parametrize(("kind", "number"), [("shipment", 1), ("subscription", 70), ("order", 80)])
def test_an_open_box_is_found_by_what_a_hook_names(shop, kind, number):
    with writing(shop.engine) as conn:
        add_box(conn, shop.store.id, 1, subscription_id=70, order_ids=[80])
        add_box(conn, shop.store.id, 2, subscription_id=71, order_ids=[81])
        add_box(conn, shop.store.id, 3, State.CONFIRMED, subscription_id=70, order_ids=[80])

        assert find_shipments_of(conn, shop.store.id, kind, [number]) == [1]


def test_a_box_is_found_by_the_orders_that_are_behind_it_now(shop):
    with writing(shop.engine) as conn:
        box = add_box(conn, shop.store.id, 1, order_ids=[80, 81])
        change_order(conn, box, NOW, order_ids=[81, 82])

        found = [find_shipments_of(conn, shop.store.id, "order", [number]) for number in (80, 81, 82)]
        ours = [len(personal.find_boxes_of(conn, shop.store.id, [], [("order", number)])) for number in (80, 81, 82)]

    assert (found, ours) == ([[], [1], [1]], [0, 1, 1])


def test_the_boxes_of_a_person_are_read_as_all_others_are(shop):
    with writing(shop.engine) as conn:
        box = add_box(conn, shop.store.id, customer_id=90)
        (found,) = personal.find_boxes_of(conn, shop.store.id, [90], [])

    assert (type(found.state), found) == (State, box)


def test_a_parcel_is_stored_once(shop):
    with writing(shop.engine) as conn:
        box = add_box(conn, shop.store.id)
        added = [packages.add_packages(conn, box.id, [TRACKING], "poll", NOW) for _ in range(2)]

    assert added == [["TEST1"], []]


def test_tracking_in_quarantine_is_kept_once_and_settled_once(shop):
    with writing(shop.engine) as conn:
        added = [
            quarantine.quarantine_packages(conn, shop.store.id, "SUB-9", [TRACKING], NOW, is_complete=True)
            for _ in range(2)
        ]
        (kept,) = quarantine.list_quarantined(conn, shop.store.id)
        settled = [quarantine.settle_quarantined(conn, kept.id, quarantine.DISMISSED, NOW) for _ in range(2)]

        assert (added, settled) == ([1, 0], [True, False])
        assert quarantine.list_quarantined(conn, shop.store.id) == []


def test_the_watermark_is_the_start_of_the_last_run_that_read_everything(shop):
    with writing(shop.engine) as conn:
        for start, error in ((NOW, None), (NOW + 1, "page 2 failed")):
            run = runs.begin_run(conn, shop.store.id, "pull_ecom", start)
            runs.end_run(conn, run, start + 9, pages=1, rows=3, error=error)
        runs.begin_run(conn, shop.store.id, "pull_ecom", NOW + 2)  # killed
        last = runs.find_last_run(conn, shop.store.id, "pull_ecom", is_ok=True)

    assert last.started_at == NOW


def test_old_runs_go_and_the_watermark_stays(shop):
    with writing(shop.engine) as conn:
        for start in (NOW, NOW + 1):
            runs.end_run(conn, runs.begin_run(conn, shop.store.id, "cancels", start), start, pages=0, rows=0)
        deleted = runs.delete_old_runs(conn, NOW + DAY)
        last = runs.find_last_run(conn, shop.store.id, "cancels", is_ok=True)

    assert (deleted, last.started_at) == (1, NOW + 1)


def test_another_adapter_starts_in_dry_run_again(shop):
    with writing(shop.engine) as conn:
        save_warehouse(conn, shop.store.id, "cartrover", b"sealed", NOW)
        update_warehouse(conn, shop.store.id, mode="live")
        kept = save_warehouse(conn, shop.store.id, "cartrover", b"sealed anew", NOW)
        changed = save_warehouse(conn, shop.store.id, "webhook", b"sealed", NOW)

    assert (kept.mode, changed.mode) == ("live", "dry_run")


def test_a_paused_warehouse_keeps_the_reason_of_its_first_pause(shop):
    with writing(shop.engine) as conn:
        save_warehouse(conn, shop.store.id, "cartrover", b"sealed", NOW)
        paused = [pause_warehouse(conn, shop.store.id, reason, NOW) for reason in ("the keys are refused", "again")]

        assert (paused, find_warehouse(conn, shop.store.id).status_reason) == ([True, False], "the keys are refused")


def test_a_payload_is_emptied_when_its_time_has_come_and_the_ids_stay(shop):
    with writing(shop.engine) as conn:
        add_box(conn, shop.store.id, 1, payload=b"sealed", purge_at=NOW)
        add_box(conn, shop.store.id, 2, payload=b"sealed", purge_at=NOW + 1)
        purged = personal.purge_payloads(conn, NOW, 10)
        kept = [find_order(conn, shop.store.id, number).payload for number in ("SUB-1", "SUB-2")]

    assert (purged, kept) == (1, [None, b"sealed"])


def test_a_box_that_does_not_move_keeps_its_payload_as_long_as_one_that_is_finished(shop):
    with writing(shop.engine) as conn:
        for number, state in enumerate((State.HELD, State.FAILED, State.AT_WAREHOUSE)):
            add_box(conn, shop.store.id, number, state, payload=b"sealed")
        purged = [personal.purge_payloads(conn, NOW + days * DAY, 10) for days in (89, 90)]

    assert purged == [0, 3]


@pytest.mark.parametrize("emptied", ["erased", "purged"])
def test_the_links_of_the_parcels_go_with_the_names(shop, emptied):
    with writing(shop.engine) as conn:
        box = add_box(conn, shop.store.id, payload=b"sealed", purge_at=NOW)
        packages.add_packages(conn, box.id, [LINKED], "poll", NOW)
        quarantine.quarantine_packages(conn, shop.store.id, "SUB-1", [LINKED], NOW, is_complete=True)
        if emptied == "erased":
            personal.empty_boxes(conn, [box.id])
        else:
            personal.purge_payloads(conn, NOW, 10)
        (parcel,), (apart,) = packages.list_packages(conn, [box.id]), quarantine.list_quarantined(conn, shop.store.id)

    assert (parcel.url, apart.url, parcel.tracking_number) == ("", "", "TEST1")


def test_a_worker_that_read_a_box_before_its_person_was_erased_writes_no_address_after_it(shop):
    with writing(shop.engine) as conn:
        seen = add_box(conn, shop.store.id)
        personal.empty_boxes(conn, [seen.id])

        with pytest.raises(OrderChanged):
            change_order(conn, seen, NOW + 1, payload=b"sealed")

        assert get_order(conn, seen.id).payload is None
