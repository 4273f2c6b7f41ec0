"""A test event goes to one's own address, says that it is a test, and is recorded as one."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from pipeline.core.errors import Misconfigured
from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import ActivityFilter, list_activity, load_flow
from pipeline.ledger.schema import core
from pipeline.ledger.schema.audit import AuditEntry
from pipeline.operations.own_test_event import TestEvent, send_test_event
from tests.builders import HOUR, NOW, customer, order

ADDRESS = "bea@example.com"


def send(shop, email=ADDRESS, number=1, connection_id=None):
    test = TestEvent("acme", email, f"{number:032x}", NOW + number, COMMAND_LINE_ACTOR, ("a key",), connection_id)
    with writing(shop.engine) as conn:
        return send_test_event(conn, test)


def messages(shop):
    return [(row.kind, row.name, row.message["email"], row.message["data"]) for row in shop.rows(core.Delivery)]


def test_it_is_one_event_about_ones_own_address_marked_as_a_test(shop):
    send(shop)

    mark = {"is_test": True, "store": "acme"}
    assert messages(shop) == [("profile", None, ADDRESS, mark), ("event", "cratewire_test", ADDRESS, mark)]


def test_it_is_in_the_feed_under_tests_and_in_the_flow(quick):
    event_id = send(quick)

    with reading(quick.engine) as conn:
        (shown,) = list_activity(conn, ActivityFilter((1,), show="tests"), lambda *_: "")
        flow = load_flow(conn, (1,), NOW - HOUR, NOW + HOUR, "hour")
    assert (shown.id, "".join(part.text for part in shown.sentence)) == (
        event_id,
        f"Test: {ADDRESS} gets a test event of Cratewire's own",
    )
    assert (flow.total.received, flow.total.waiting) == (1, 1)


def test_a_profile_that_is_there_stays_as_it_is(quick):
    quick.record(quick.hook("order_new", order(customer=customer(email=ADDRESS))))
    quick.send_all()
    send(quick)

    assert [kind for kind, _, _, _ in messages(quick)] == ["profile", "event", "event"]


def test_it_goes_over_one_connection_if_that_is_asked_for(quick):
    with writing(quick.engine) as conn:
        row = {"id": 2, "store_id": 1, "platform": "segment", "label": "", "account": "s", "config": b"", "lanes": 1}
        conn.execute(insert(core.StoreConnection).values(**row, status="active", status_at=0, created_at=0))
    send(quick, connection_id=2)

    assert {row.connection_id for row in quick.rows(core.Delivery)} == {2}


def test_a_connection_of_another_store_is_none(quick):
    with pytest.raises(Misconfigured, match="connected to no platform"):
        send(quick, connection_id=77)


def test_two_are_two_events(quick):
    assert send(quick, number=1) != send(quick, number=2)
    assert len({row.message_id for row in quick.rows(core.Delivery)} - {None}) == 2


def test_who_sent_it_is_in_the_audit_log(quick):
    event_id = send(quick)

    assert [(row.action, row.about) for row in quick.rows(AuditEntry)] == [("test_event.sent", {"event": event_id})]


def test_nothing_is_sent_about_a_person_who_is_withheld(quick):
    quick.record(quick.hook("order_new", order(customer=customer(email=ADDRESS))))
    with writing(quick.engine) as conn:
        conn.execute(core.Person.__table__.update().values(withheld="withheld_marketplace"))

    with pytest.raises(Misconfigured, match="withheld"):
        send(quick)


def test_nothing_is_sent_without_a_platform_or_to_what_is_no_address(quick):
    with pytest.raises(Misconfigured, match="no mail address"):
        send(quick, "nonsense")
    with writing(quick.engine) as conn:
        conn.execute(core.StoreConnection.__table__.delete())

    with pytest.raises(Misconfigured, match="connected to no platform"):
        send(quick)
