"""The page of one event, its details in the feed, its bytes and its document."""

from __future__ import annotations

import json
import re

import pytest

from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from tests.builders import NOW
from tests.receiver.pages.activity.feed import add, send


def test_an_event_shows_what_came_what_was_sent_and_where_the_time_went(pages, store_id, visitor):
    note = {"code": "field_set_aside", "field": "total", "reason": "is not an amount (3495 or 34.95)"}
    event_id = add(pages, store_id, 7015, raw=b'{"id": 7015}', notes=[note], duplicates=2)
    send(pages, store_id, event_id, status="sent", done_at=NOW + 9)

    visitor.go(f"/activity/{event_id}")

    assert "The field total was left out: it is not an amount (3495 or 34.95)." in visitor.text
    assert "reported 3 times, used once" in visitor.text
    assert '{"id": 7015}' in visitor.text
    assert "ulid-7015" in visitor.text
    assert "in the inbox, and decoded" in visitor.text


def test_an_event_whose_body_is_gone_says_so(pages, store_id, visitor):
    event_id = add(pages, store_id, 1)
    with writing(pages.site.engine) as conn:
        conn.execute(core.Body.__table__.delete())

    visitor.go(f"/activity/{event_id}")

    assert "They are not kept any more." in visitor.text


def test_an_event_opens_in_place_with_what_became_of_it(pages, store_id, visitor):
    event_id = add(pages, store_id, 7015)
    send(pages, store_id, event_id, status="dead", done_at=NOW, reason="refused", detail="name: is too long")

    visitor.go(f"/activity/{event_id}/inline")

    assert "refused" in visitor.text
    assert "(name: is too long)" in visitor.text
    assert f'href="/activity/{event_id}"' in visitor.page
    assert "<html" not in visitor.page


def test_an_event_whose_messages_wait_is_asked_for_again_while_it_is_open(pages, store_id, visitor):
    waiting, done = add(pages, store_id, 1), add(pages, store_id, 2)
    send(pages, store_id, waiting)

    visitor.go(f"/activity/{waiting}/inline")
    assert 'hx-trigger="sse:changed"' in visitor.page
    visitor.go(f"/activity/{done}/inline")
    assert "hx-trigger" not in visitor.page


def test_a_field_that_was_left_out_is_named_where_it_would_stand(pages, store_id, visitor):
    note = {"code": "field_set_aside", "field": "total", "reason": "is not an amount"}
    event_id = add(pages, store_id, 1, data={"id": 1}, notes=[note])

    visitor.go(f"/activity/{event_id}")

    assert re.search(r'"total": ?✗ left out: it is not an amount', visitor.text)


def test_what_the_platform_says_of_a_field_stands_at_the_field(pages, store_id, visitor):
    event_id = add(pages, store_id, 1)
    message = {"data": {"name": "x" * 20, "total": 5}}
    send(pages, store_id, event_id, status="dead", done_at=NOW, detail="name: is too long", message=message)

    visitor.go(f"/activity/{event_id}")

    assert re.search(r'"xxxx+" ?✗ is too long', visitor.text)


def test_the_bytes_of_a_hook_are_a_file_that_no_browser_runs(pages, store_id, visitor):
    event_id = add(pages, store_id, 1, raw=b"<script>alert(1)</script>")

    answer = visitor.ask(f"/activity/{event_id}/raw")

    assert answer.data == b"<script>alert(1)</script>"
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="event-{event_id}.bin"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_everything_about_an_event_is_one_document(pages, store_id, visitor):
    event_id = add(pages, store_id, 1, raw=b"\xff")

    answer = visitor.ask(f"/activity/{event_id}/json")

    assert answer.json["event"]["id"] == event_id
    assert answer.json["raw"] == "\\xff"


MANY_KEYS = {f"key-{number}": "<b>" for number in range(10_000)}
LONG = {"note": "<" * 5_000_000, "turned": ["\u202e" * 99] * 9_999}


@pytest.mark.parametrize("data", [MANY_KEYS, LONG], ids=["10,000 keys", "5 MB and right-to-left marks"])
def test_the_page_of_an_event_stays_small_whatever_it_holds(pages, store_id, visitor, data):
    raw = json.dumps(data).encode()
    notes = [{"code": "field_set_aside", "field": "x" * 10_000, "reason": "y"}] * 50
    unknown = [f"{number}{'z' * 500}" for number in range(10_000)]
    event_id = add(pages, store_id, 1, data=data, raw=raw, notes=notes, unknown=unknown, name="n" * 5000)

    answer = visitor.ask(f"/activity/{event_id}")

    assert len(answer.data) < 500_000
    assert b"\xe2\x80\xae" not in answer.data
    assert f"/activity/{event_id}/raw".encode() in answer.data
    assert len(visitor.ask("/activity").data) < 100_000
