"""The people there are, sent to a platform that is connected later: once each, quietly, and only who may be sent."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from pipeline.core.messages import BACKFILL_PRIORITY, LIVE_PRIORITY
from pipeline.ledger.connection_people import DONE, STOPPED, find_people, list_running, start_people, stop_people
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.operations import send_people as sending
from tests.builders import NOW, RECIPIENT, customer, gift_order, order
from tests.contexts import make_context

LATER = NOW + 60_000_000
FIRST, SECOND = 1, 2  # connections: that the shop began with, and the later one


@pytest.fixture
def later(shop):
    """A shop with three customers and a gift recipient, to which a second platform is connected."""
    return connect_later(shop)


@pytest.fixture
def quick_later(quick):
    return connect_later(quick)


def connect_later(shop):
    for number in (1, 2, 3):
        who = customer(id=7000 + number, email=f"person-{number}@example.com")
        shop.record(shop.hook("order_new", order(id=number, customer=who, customer_id=who["id"])))
    giver = customer(id=7001, email="person-1@example.com")
    shop.record(shop.hook("order_new", gift_order(id=9, customer=giver, customer_id=7001)))
    with writing(shop.engine) as conn:
        row = {"id": SECOND, "store_id": 1, "platform": "segment", "label": "", "account": "source 1", "config": b""}
        conn.execute(insert(core.StoreConnection).values(**row, status="active", status_at=0, lanes=1, created_at=0))
        start_people(conn, SECOND, LATER)
    return shop, SECOND


def run(shop, connection_id):
    clock = iter(range(LATER, LATER + 10**9))
    return sending.send_people(make_context(shop.engine, shop.redis, clock.__next__), connection_id)


def messages(shop, connection_id):
    return [one for one in shop.rows(core.Delivery) if one.connection_id == connection_id]


def read(shop, connection_id):
    with reading(shop.engine) as conn:
        return find_people(conn, connection_id)


def test_everyone_gets_one_profile_behind_live_messages_and_no_event(later):
    shop, connection = later

    run(shop, connection)

    found = messages(shop, connection)
    assert sorted(one.message["email"] for one in found) == [*(f"person-{n}@example.com" for n in (1, 2, 3)), RECIPIENT]
    assert {(one.kind, one.priority, one.event_id) for one in found} == {("profile", BACKFILL_PRIORITY, None)}


def test_the_profile_has_all_that_is_known(later):
    shop, connection = later

    run(shop, connection)

    giver = next(one for one in messages(shop, connection) if one.message["customer_id"] == 7001)
    assert giver.message["data"]["order_count"] == 2
    assert giver.message["data"]["gift_giver"] is True


def test_the_other_connection_gets_nothing(later):
    shop, connection = later
    before = len(messages(shop, FIRST))

    run(shop, connection)

    assert len(messages(shop, FIRST)) == before


def test_it_ends_and_says_how_many(later):
    shop, connection = later

    run(shop, connection)

    row = read(shop, connection)
    assert (row.state, row.looked_at, row.written, row.total) == (DONE, 4, 4, 4)


def test_doing_it_again_sends_no_one_twice(quick_later):
    shop, connection = quick_later
    run(shop, connection)
    with writing(shop.engine) as conn:
        start_people(conn, connection, LATER)

    run(shop, connection)

    assert len(messages(shop, connection)) == 4
    assert read(shop, connection).written == 0


def test_a_slice_that_does_not_commit_is_written_by_the_next_turn_once(quick_later, monkeypatch):
    shop, connection = quick_later
    monkeypatch.setattr(sending, "SLICE", 2)

    def fail(*_args):
        raise SystemExit  # killed after the messages, before the commit

    with monkeypatch.context() as patched:
        patched.setattr(sending, "note_progress", fail)
        with pytest.raises(SystemExit):
            run(shop, connection)

    run(shop, connection)
    assert len(messages(shop, connection)) == 4


def test_a_person_of_whom_a_hook_came_meanwhile_gets_one_profile_and_the_event(quick_later):
    shop, connection = quick_later
    who = customer(id=7001, email="person-1@example.com")
    shop.record(shop.hook("order_new", order(id=77, customer=who, customer_id=7001)), at=LATER)

    run(shop, connection)

    own = [one for one in messages(shop, connection) if one.message["customer_id"] == 7001]
    assert [(one.kind, one.priority) for one in own] == [("profile", LIVE_PRIORITY), ("event", LIVE_PRIORITY)]


def test_a_hook_about_a_person_whose_profile_waits_lets_that_profile_leave_first(quick_later):
    shop, connection = quick_later
    run(shop, connection)
    who = customer(id=7002, email="person-2@example.com")

    shop.record(shop.hook("order_new", order(id=78, customer=who, customer_id=7002)), at=LATER)

    own = [one for one in messages(shop, connection) if one.message["customer_id"] == 7002]
    assert (own[0].kind, own[0].priority, own[-1].kind) == ("profile", LIVE_PRIORITY, "event")


def test_people_known_only_from_the_marketplace_get_nothing(quick):
    with writing(quick.engine) as conn:
        conn.execute(update(core.Store).values(marketplace_sources=["2"], storefront_sources=["1"]))
    who = customer(id=7010, email="market@example.com")
    quick.record(quick.hook("order_new", order(id=90, source="2", customer=who, customer_id=7010)))
    shop, connection = connect_later(quick)

    run(shop, connection)

    assert 7010 not in {one.message["customer_id"] for one in messages(shop, connection)}


def test_people_of_test_orders_get_nothing(quick):
    with writing(quick.engine) as conn:
        conn.execute(update(core.Store).values(forward_tests=True))
    who = customer(id=7011, email="test@example.com")
    quick.record(quick.hook("order_new", order(id=91, is_test=True, customer=who, customer_id=7011)))
    with writing(quick.engine) as conn:
        conn.execute(update(core.Store).values(forward_tests=False))
    shop, connection = connect_later(quick)

    run(shop, connection)

    assert 7011 not in {one.message["customer_id"] for one in messages(shop, connection)}


def test_it_waits_while_enough_profiles_wait(quick_later, monkeypatch):
    shop, connection = quick_later
    monkeypatch.setattr(sending, "SLICE", 1)
    monkeypatch.setattr(sending, "MAX_AHEAD", 2)

    run(shop, connection)

    assert len(messages(shop, connection)) == 2
    with reading(shop.engine) as conn:
        assert list_running(conn) == [connection]


def test_stopped_it_writes_no_further_profile(quick_later, monkeypatch):
    shop, connection = quick_later
    monkeypatch.setattr(sending, "SLICE", 1)
    monkeypatch.setattr(sending, "MAX_AHEAD", 2)
    run(shop, connection)

    with writing(shop.engine) as conn:
        assert stop_people(conn, connection, LATER)
    monkeypatch.setattr(sending, "MAX_AHEAD", 100)
    run(shop, connection)

    assert len(messages(shop, connection)) == 2
    assert read(shop, connection).state == STOPPED
