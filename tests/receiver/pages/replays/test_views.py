"""Replays in a browser without scripts: what would be sent is said first, then it is begun, watched and stopped."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import insert, update

from pipeline.ledger.connections import list_store_connections
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.replays import find_replay
from pipeline.ledger.schema import core
from pipeline.operations.replays.run import run_replay
from tests.builders import NOW, order
from tests.pipeline.ledger.rows import add_deliveries, add_event, add_person

HERS, READERS = "bea@example.com", "robin@example.com"


@pytest.fixture
def store_id(pages):
    pages.clock[0] = NOW + 1000  # after all that is recorded
    account = pages.member(HERS)
    pages.member(READERS, account, "reader")
    return pages.store("acme", account)


@pytest.fixture
def visitor(pages, store_id):
    return pages.logged_in(HERS)


def add(pages, store_id, number, **message):
    """An event with one message."""
    with writing(pages.site.engine) as conn:
        event_id = add_event(conn, store_id, number, data=order(id=number))
        person_id = add_person(conn, store_id, f"p{number}@example.com", attributes={"first_name": "Mila"})
        conn.execute(insert(core.EventPerson).values(event_id=event_id, person_id=person_id, role="customer"))
        [link] = list_store_connections(conn, store_id)
        values = {"status": "dead", "done_at": NOW, "reason": "name_too_long", "kind": "event", "name": "order_new"}
        values |= {"event_id": event_id, "message_id": f"id of {number}"}
        add_deliveries(conn, link, person_id, **{**values, **message})
    return event_id


def state(pages, replay_id=1):
    with reading(pages.site.engine) as conn:
        row = find_replay(conn, replay_id)
    return row and row.state


def test_before_it_runs_it_says_how_much_to_how_many(pages, store_id, visitor):
    add(pages, store_id, 1)
    add(pages, store_id, 2)

    visitor.go("/replays/new")
    visitor.send(what="refused")

    assert "2 messages will be sent, about 2 people." in visitor.text
    assert state(pages) == "counted"


def test_it_begins_when_it_is_asked_to_and_shows_how_far_it_is(pages, store_id, visitor):
    add(pages, store_id, 1)
    visitor.go("/replays/new?show=refused")
    visitor.send(what="filter")
    assert "Send 1 again" in visitor.page

    visitor.send()
    assert "It goes on by itself" in visitor.text
    run_replay(pages.site, 1)

    visitor.go("/replays/1")
    assert "left 1" in visitor.text
    assert 'hx-get="/replays/1/progress"' in visitor.page


def test_a_stop_is_said(pages, store_id, visitor):
    add(pages, store_id, 1)
    visitor.go("/replays/new")
    visitor.send(what="refused")
    visitor.send()
    run_replay(pages.site, 1)
    visitor.send("/replays/1/stop")
    assert "The replay stops" in visitor.text

    run_replay(pages.site, 1)
    visitor.go("/replays/1")

    assert "Stopped" in visitor.text
    assert "not sent 1" in visitor.text


def test_what_was_counted_can_be_discarded(pages, store_id, visitor):
    add(pages, store_id, 1)
    visitor.go("/replays/new")
    visitor.send(what="refused")
    visitor.send("/replays/1/discard")

    assert (state(pages), visitor.where) == ("discarded", "/replays")
    assert "Nothing was sent." in visitor.text


def is_loaded_anew(visitor):
    return visitor.ask("/replays/1/progress").headers.get("HX-Refresh") == "true"


def test_the_page_is_loaded_anew_once_it_is_counted_and_once_it_has_ended(pages, store_id, visitor):
    add(pages, store_id, 1)
    visitor.go("/replays/new")
    visitor.send(what="refused")
    found = [(state(pages), is_loaded_anew(visitor))]
    visitor.send()
    run_replay(pages.site, 1)
    found.append((state(pages), is_loaded_anew(visitor)))
    with writing(pages.site.engine) as conn:
        conn.execute(update(core.Delivery).values(status="sent", done_at=NOW))
    run_replay(pages.site, 1)
    found.append((state(pages), is_loaded_anew(visitor)))

    assert found == [("counted", True), ("running", False), ("done", True)]


def test_an_event_that_was_refused_can_be_tried_again(pages, store_id, visitor):
    event_id = add(pages, store_id, 1)
    visitor.go(f"/activity/{event_id}")

    assert "Try again" in visitor.text
    assert "it keeps its id, so Customer.io drops it if it has it" in visitor.text
    assert "Deliver again" not in visitor.text


def test_an_event_that_has_arrived_is_only_delivered_again_on_request(pages, store_id, visitor):
    event_id = add(pages, store_id, 1, status="sent", reason=None)
    visitor.go(f"/activity/{event_id}")
    assert "Try again" not in visitor.text

    visitor.send("/replays", store="acme", id=str(event_id), again="1")

    assert "1 of them has arrived before. They keep their ids: a platform ignores repeats" in visitor.text


def test_some_of_the_events_can_be_chosen(pages, store_id, visitor):
    add(pages, store_id, 1)
    wanted = add(pages, store_id, 2)
    visitor.go("/replays/new?show=refused")
    visitor.send(what="filter", id=str(wanted))

    assert "Send again: 1 event?" in visitor.text


def test_a_reader_sees_replays_and_begins_none(pages, store_id, visitor):
    event_id = add(pages, store_id, 1)
    visitor.go("/replays/new")
    visitor.send(what="refused")
    reader = pages.logged_in(READERS)

    assert "2026-03-02" in reader.go("/replays")
    assert "Send 1 again" not in reader.go("/replays/1")
    assert "Try again" not in reader.go(f"/activity/{event_id}")
    assert "may not send messages again" in reader.go("/replays/new")
    reader.go("/account")
    assert reader.send_only("/replays/1/start").status_code == 403


def test_the_list_says_when_there_is_none(visitor):
    visitor.go("/replays")

    assert "Nothing was ever sent again." in visitor.text


@pytest.mark.parametrize("query", ["show=nonsense", "person=x", "since=yesterday"])
def test_a_filter_that_cannot_be_read_is_not_found(visitor, query):
    visitor.go(f"/replays/new?{query}")

    assert visitor.status == 404


@pytest.mark.parametrize(
    ("address", "selected"),
    [
        (
            "show=unreadable&event=order_new&since=1970-01-02&until=1970-01-03",
            {"kind": "hooks", "name": "order_new", "since": 86_400_000_000, "until": 2 * 86_400_000_000},
        ),
        ("show=unreadable&person=7", {"kind": "filter", "show": "unreadable", "person_id": 7}),
        ("show=refused&event=order_new", {"kind": "filter", "show": "refused", "name": "order_new"}),
        ("hooks=1", {"kind": "hooks"}),
    ],
)
def test_what_the_feed_shows_is_what_is_sent_again(pages, store_id, visitor, address, selected):
    visitor.go(f"/replays/new?{address}")
    what = re.findall(r'name="what" value="(\w+)" checked', visitor.page)
    visitor.send(what=what[0])

    with reading(pages.site.engine) as conn:
        assert (len(what), find_replay(conn, 1).selection.as_document()) == (1, selected)
