"""A changed mapping over recorded events, and what recording makes of one."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.connections import find_connection
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.ledger.stores import get_store
from pipeline.mapping.rules import AS_IT_IS, parse_mapping
from pipeline.mapping.save import save_mapping
from pipeline.mapping.trial import try_mapping
from tests.builders import NOW, customer, order
from tests.pipeline.recording.conftest import HookRecorder


@pytest.fixture
def recorder(engine):
    return HookRecorder(engine, connections=2)


def mapping(**parts):
    return parse_mapping(json.dumps(parts))


def save(recorder, connection_id, wanted):
    with writing(recorder.engine) as conn:
        return save_mapping(conn, find_connection(conn, connection_id), wanted, COMMAND_LINE_ACTOR, NOW)


def sell(recorder, count=3):
    for number in range(count):
        who = customer(id=7000 + number, email=f"person-{number}@example.com")
        recorder.record(recorder.hook("order_new", order(id=number + 1, customer=who, customer_id=who["id"])))
    recorder.record(recorder.hook("customer_new", customer(id=7000, email="person-0@example.com")))


def list_sent(recorder, kind="event"):
    return sorted((one.connection_id, one.name) for one in recorder.rows(core.Delivery) if one.kind == kind)


def run(recorder, after, before=AS_IT_IS, last=1000):
    with reading(recorder.engine) as conn:
        return try_mapping(conn, get_store(conn, 1), before, after, last)


def test_an_event_that_a_connection_does_not_get_goes_over_the_others_and_has_a_note(recorder):
    save(recorder, 1, mapping(events={"order_new": None}))
    sell(recorder, 1)

    assert list_sent(recorder) == [(1, "customer_new"), (2, "customer_new"), (2, "order_new")]
    [sold] = [one for one in recorder.rows(core.Event) if one.name == "order_new"]
    assert (sold.outcome, sold.notes) == ("forwarded", [{"code": "left_out", "connection": 1}])


def test_an_event_that_no_connection_gets_is_recorded(recorder):
    for connection in (1, 2):
        save(recorder, connection, mapping(events={"order_new": None}))
    sell(recorder, 1)

    assert {one.name: one.outcome for one in recorder.rows(core.Event)} == {
        "order_new": "recorded",
        "customer_new": "forwarded",
    }


def test_the_profile_of_a_person_goes_even_if_the_event_does_not(recorder):
    save(recorder, 1, mapping(events={"order_new": None}))
    sell(recorder, 1)

    assert {one[0] for one in list_sent(recorder, "profile")} == {1, 2}


def test_a_trial_counts_what_would_change_and_names_it(recorder):
    sell(recorder)
    after = mapping(events={"order_new": "Placed Order", "customer_new": None}, attributes={"order_count": "Orders"})

    found = run(recorder, after)

    assert (found.events, found.changed, found.no_longer_sent, found.newly_sent, found.unchanged) == (4, 3, 1, 0, 0)
    assert (found.people, found.profiles_changed) == (3, 3)
    assert ("order_new", "order_new", "Placed Order") in found.renamed
    assert len(found.example_ids) == 4


def test_what_a_trial_says_is_what_then_happens(recorder):
    sell(recorder)
    after = mapping(events={"customer_new": None})
    said = run(recorder, after)

    before = len(list_sent(recorder))
    save(recorder, 1, after)
    for number in range(3):
        recorder.record(recorder.hook("order_new", order(id=100 + number)))
    recorder.record(recorder.hook("customer_new", customer(id=7099, email="new@example.com")))

    over_first = [name for connection, name in list_sent(recorder)[:] if connection == 1]
    assert said.no_longer_sent == 1
    assert over_first.count("customer_new") == 1  # the one of before
    assert len(list_sent(recorder)) == before + 2 * 4 - said.no_longer_sent


def test_a_trial_writes_nothing_and_looks_at_so_many(recorder):
    sell(recorder)
    rows = recorder.rows(core.Delivery)

    assert run(recorder, mapping(events={"order_new": "x"}), last=2).events == 2
    assert recorder.rows(core.Delivery) == rows


def test_a_change_is_saved_once_and_audited(recorder):
    changed = mapping(events={"order_new": "Placed Order"})

    assert [save(recorder, 1, changed), save(recorder, 1, changed)] == [True, False]
    with reading(recorder.engine) as conn:
        assert conn.execute(select(core.StoreConnection.mapping).order_by(core.StoreConnection.id)).scalars().all() == [
            '{"attributes": {}, "events": {"order_new": "Placed Order"}}',
            None,
        ]
