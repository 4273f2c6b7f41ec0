"""Dead letters in one list, each with its reason, and their replay."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from pipeline.core.messages import CallRecord, Rejected
from pipeline.ledger.deliveries import acquire_lane, claim, settle
from pipeline.ledger.engine import writing
from pipeline.ledger.queries import (
    DeadDeliveryDetail,
    DeadHookDetail,
    get_dead_letter,
    list_dead_letters,
)
from pipeline.operations.replay import replay_delivery
from tests.pipeline.ledger.conftest import StoreSetup
from tests.pipeline.ledger.rows import NOW, add_dead_hook, add_deliveries, delivery


def add_dead_delivery(conn: Connection, shop: StoreSetup, died_at: int = NOW) -> int:
    dead = {"status": "dead", "done_at": died_at, "reason": "too_large"}
    return add_deliveries(conn, shop.link, shop.person_id, **dead)[0]


def test_hooks_and_deliveries_are_listed_together_newest_first(shop):
    with writing(shop.engine) as conn:
        old_hook = add_dead_hook(conn, 1, NOW + 1)
        sent = add_dead_delivery(conn, shop, NOW + 2)
        new_hook = add_dead_hook(conn, 2, NOW + 3)
        found = [(dead.kind, dead.id) for dead in list_dead_letters(conn)]

    assert found == [("hook", new_hook), ("delivery", sent), ("hook", old_hook)]


def test_a_dead_letter_has_its_name_stage_and_reason(shop):
    with writing(shop.engine) as conn:
        add_dead_delivery(conn, shop, NOW + 1)
        add_dead_hook(conn)
        lines = [(dead.store, dead.name, dead.stage, dead.reason) for dead in list_dead_letters(conn)]

    assert lines == [
        ("sunny-box", "order_new", "forward", "too_large"),
        ("sunny-box", "order_new", "decode", "not_json"),
    ]


def test_pages_are_complete_even_if_all_died_at_once(shop):
    with writing(shop.engine) as conn:
        for number in range(4):
            add_dead_hook(conn, number)
            add_dead_delivery(conn, shop)
        whole = list_dead_letters(conn)
        paged = []
        cursor = None
        while page := list_dead_letters(conn, before=cursor, limit=3):
            paged += page
            cursor = page[-1].cursor

    assert (len(whole), paged) == (8, whole)


def test_a_replayed_hook_is_not_listed_any_more(shop):
    with writing(shop.engine) as conn:
        add_dead_hook(conn, replayed_at=NOW)

        assert list_dead_letters(conn) == []


def test_a_dead_hook_has_its_raw_bytes(shop):
    with writing(shop.engine) as conn:
        shown = get_dead_letter(conn, "hook", add_dead_hook(conn))

    assert isinstance(shown, DeadHookDetail)
    assert (shown.raw, shown.detail, shown.listed.reason) == (b"{oops", {"at": 3}, "not_json")


def test_a_dead_delivery_has_its_message_and_calls(shop):
    with writing(shop.engine) as conn:
        (delivery_id,) = add_deliveries(conn, shop.link, shop.person_id)
        taken = acquire_lane(conn, shop.link.id, 0, NOW)
        claim(conn, taken, 1)
        call = CallRecord("POST", "/batch", 207, NOW, 9, 1)
        settle(conn, taken, [(delivery_id, Rejected("too_large"))], [call], NOW)
        shown = get_dead_letter(conn, "delivery", delivery_id)

    assert isinstance(shown, DeadDeliveryDetail)
    assert (shown.delivery.message["data"], [call.status for call in shown.calls]) == ({"number": 0}, [207])


@pytest.mark.parametrize("kind", ["hook", "delivery"])
def test_events_and_open_deliveries_are_not_dead_letters(shop, kind):
    with writing(shop.engine) as conn:
        (pending,) = add_deliveries(conn, shop.link, shop.person_id)

        assert get_dead_letter(conn, kind, pending) is None


def test_a_replayed_delivery_is_pending_in_its_old_place(shop):
    with writing(shop.engine) as conn:
        dead = add_dead_delivery(conn, shop)
        add_deliveries(conn, shop.link, shop.person_id)
        replay_delivery(conn, dead, NOW)
        messages = claim(conn, acquire_lane(conn, shop.link.id, 0, NOW), 1)

    assert [message.delivery_id for message in messages] == [dead]


def test_a_replayed_delivery_is_not_dead_any_more(shop):
    with writing(shop.engine) as conn:
        dead = add_dead_delivery(conn, shop)
        replay_delivery(conn, dead, NOW)
        row = delivery(conn, dead)

    assert (row.status, row.done_at, row.reason) == ("pending", None, None)


def test_only_dead_deliveries_are_replayed(shop):
    with writing(shop.engine) as conn:
        (pending,) = add_deliveries(conn, shop.link, shop.person_id)
        answers = replay_delivery(conn, pending, NOW), replay_delivery(conn, 999, NOW)

    assert answers == (False, False)
