"""The activity feed in a browser without scripts: rows, filters, pages, and what only scripts ask for."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import insert

from pipeline.ledger.connections import list_store_connections
from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from receiver.live import STORES_HEADER
from receiver.pages.activity.views import PAGE_SIZE
from tests.builders import NOW
from tests.pipeline.ledger.rows import add_deliveries, add_person
from tests.receiver.pages.activity.feed import HOSTILE, add, rows, send


def test_an_event_is_shown_as_a_sentence_with_what_became_of_it(pages, store_id, visitor):
    send(pages, store_id, add(pages, store_id, 7015), status="sent", done_at=NOW + 300_001)

    visitor.go("/activity")

    assert "Mila placed order 7015 , USD 34.95" in visitor.text
    assert "at Customer.io after 0.3 s" in visitor.text


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"created_at": NOW - 840_000_000}, "waits for Customer.io, 14 min 0 s"),
        ({"status": "dead", "done_at": NOW, "reason": "name_too_long"}, "refused by Customer.io: name too long"),
        ({"status": "withheld", "done_at": NOW, "reason": "marketplace"}, "withheld from Customer.io"),
        ({"status": "stopped", "done_at": NOW, "reason": "erased"}, "not sent to Customer.io: the person was erased"),
    ],
)
def test_a_message_that_is_not_there_yet_says_why(pages, store_id, visitor, message, said):
    send(pages, store_id, add(pages, store_id, 1), **message)

    visitor.go("/activity")

    assert said in visitor.text


@pytest.mark.parametrize("status", ["withheld", "stopped"])
def test_what_one_person_was_sent_counts_although_the_others_was_not(pages, store_id, visitor, status):
    event_id = add(pages, store_id, 7015)
    send(pages, store_id, event_id, status="sent", done_at=NOW + 300_001)
    with writing(pages.site.engine) as conn:
        [link] = list_store_connections(conn, store_id)
        other_id = add_person(conn, store_id, "other@example.com")
        add_deliveries(conn, link, other_id, event_id=event_id, status=status, done_at=NOW + 90_000_000)

    visitor.go("/activity")

    assert "at Customer.io after 0.3 s" in visitor.text


@pytest.mark.parametrize(("status", "reason"), [("withheld", "marketplace"), ("stopped", "erased")])
def test_an_event_names_the_state_of_each_of_its_messages(pages, store_id, visitor, status, reason):
    event_id = add(pages, store_id, 7015)
    send(pages, store_id, event_id, status=status, done_at=NOW, reason=reason)

    visitor.go(f"/activity/{event_id}")

    assert re.search(rf"{status} ?, [^:]+:\d\d:\d\d UTC ?: {reason}", visitor.text)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [("recorded", "kept, not sent"), ("test", "test, not sent"), ("nobody", "no address"), ("odd_word", "odd word")],
)
def test_an_event_that_is_not_sent_says_so(pages, store_id, visitor, outcome, said):
    add(pages, store_id, 1, outcome=outcome)

    visitor.go("/activity")

    assert said in visitor.text


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("withheld_marketplace", "withheld: Marketplace"),
        ("withheld_origin_unknown", "withheld: origin not known"),
        ("withheld_gift_recipient", "withheld: gift recipient"),
    ],
)
def test_an_event_that_is_withheld_says_why(pages, store_id, visitor, code, said):
    add(pages, store_id, 1, outcome="withheld", notes=[{"code": code, "role": "customer"}])

    visitor.go("/activity")

    assert said in visitor.text


def test_the_events_of_other_accounts_are_not_shown(pages, store_id, visitor):
    with writing(pages.site.engine) as conn:
        other = conn.execute(core.Store.__table__.select().where(core.Store.name == "not-hers")).one().id
    theirs = add(pages, other, 99)

    visitor.go("/activity")
    assert rows(visitor) == []
    visitor.go(f"/activity/new?after=0&open={theirs}")
    assert rows(visitor) == []


def test_a_full_page_leads_to_older_events_without_a_gap(pages, store_id, visitor):
    added = [add(pages, store_id, number) for number in range(PAGE_SIZE + 1)]

    visitor.go("/activity")
    first = rows(visitor)
    visitor.go(re.search(r'class="more" href="([^"]+)"', visitor.page)[1].replace("&amp;", "&"))

    assert first + rows(visitor) == added[::-1]
    assert 'class="more"' not in visitor.page


def test_a_filter_stays_in_the_address_of_every_other_view(pages, store_id, visitor):
    add(pages, store_id, 1, name="customer_new")

    visitor.go("/activity?event=order_new&since=2026-03-01T00:00")

    assert rows(visitor) == []
    assert "Nothing like this in this time. Clear filters" in visitor.text
    assert "/activity?event=order_new&amp;since=2026-03-01T00:00&amp;show=waiting" in visitor.page


@pytest.mark.parametrize(
    "query", ["show=everything", "store=not-hers", "before=x", "since=yesterday", "person=-1", "about=7", "source=x"]
)
def test_an_address_that_means_nothing_is_not_found(pages, visitor, query):
    visitor.go(f"/activity?{query}")

    assert visitor.status == 404


def test_what_arrived_since_is_rendered_with_the_rows_that_waited(pages, store_id, visitor):
    waiting = add(pages, store_id, 1)
    send(pages, store_id, waiting)
    newer = add(pages, store_id, 2)

    visitor.go(f"/activity/new?after={waiting}&open={waiting}")

    assert rows(visitor) == [newer]
    assert f'id="marks-{waiting}" hx-swap-oob="true"' in visitor.page
    assert f"after={newer}" in visitor.page


def test_of_many_new_events_none_is_skipped(pages, store_id, visitor):
    """After a long pause there are more than one answer holds: the oldest come first, and the page asks again."""
    added = [add(pages, store_id, number) for number in range(PAGE_SIZE + 2)]

    visitor.go("/activity/new?after=0")
    first, asks_again = rows(visitor), 'hx-trigger="load, sse:changed"' in visitor.page
    visitor.go(f"/activity/new?after={first[0]}")

    assert asks_again
    assert rows(visitor) + first == added[::-1]
    assert 'hx-trigger="sse:changed"' in visitor.page


def test_a_renamed_connection_is_shown_by_its_title(pages, store_id, visitor):
    send(pages, store_id, add(pages, store_id, 1), status="sent", done_at=NOW)
    with writing(pages.site.engine) as conn:
        conn.execute(core.StoreConnection.__table__.update().values(title="News"))

    visitor.go("/activity")

    assert "at News after 0.0 s" in visitor.text


def test_a_row_that_waits_names_itself_so_that_it_is_asked_for_again(pages, store_id, visitor):
    waiting, done = add(pages, store_id, 1), add(pages, store_id, 2)
    send(pages, store_id, waiting)
    send(pages, store_id, done, status="sent", done_at=NOW)

    visitor.go("/activity")

    assert re.findall(r'name="open" value="(\d+)"', visitor.page) == [str(waiting)]


def test_the_stream_may_watch_the_readers_own_stores(pages, store_id, visitor):
    answer = visitor.ask("/activity/live")

    assert answer.headers[STORES_HEADER] == str(store_id)
    assert answer.mimetype == "text/event-stream"


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        *(("show=kept", [1]), ("show=sent", [0]), ("show=repeats", [2]), ("source=reconcile", [2])),
        *(("about=order:1", [1]), ("show=all", [2, 1, 0]), ("show=all&since=2000-01-01T00:00", [2, 1, 0])),
    ],
)
def test_the_feed_is_narrowed_by_its_address(pages, store_id, visitor, query, numbers):
    added = [add(pages, store_id, 0), add(pages, store_id, 1, outcome="recorded")]
    added.append(add(pages, store_id, 2, source="reconcile", duplicates=1))
    send(pages, store_id, added[0], status="sent", done_at=NOW)
    with writing(pages.site.engine) as conn:
        about = {"event_id": added[1], "kind": "order", "subject_id": 1, "store_id": store_id}
        conn.execute(insert(core.EventSubject).values(about))

    visitor.go(f"/activity?{query}")

    assert rows(visitor) == [added[number] for number in numbers]


def test_hostile_names_are_text(pages, store_id, visitor):
    event_id = add(pages, store_id, 1, first_name=HOSTILE, data={"id": 1, "note": HOSTILE})

    for path in ("/activity", f"/activity/{event_id}", f"/activity/{event_id}/inline"):
        visitor.go(path)
        assert "<script>alert" not in visitor.page
        assert "\x00" not in visitor.page
    visitor.go("/activity")
    assert "<bdi>&lt;script&gt;" in visitor.page
