"""What a user keeps: views of the feed, samples of events, and what Cratejoy was asked."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import select

from pipeline.ledger.engine import writing
from pipeline.ledger.saved_views import MAX_VIEWS, save_view
from pipeline.ledger.schema.accounts import User
from pipeline.lookups.asked import take_requests
from tests.builders import NOW, order
from tests.receiver.pages.activity.feed import HERS, OTHERS, add, rows, send


def save(visitor, name, path="/activity?show=waiting&event=order_new", **more):
    visitor.go(path)
    hidden = dict(re.findall(r'name="(show|event|store)" value="([^"]+)"', visitor.page))
    return visitor.send("/activity/views", name=name, **hidden, **more)


def test_a_view_is_saved_listed_opened_and_deleted(pages, store_id, visitor):
    assert "The view is saved." in save(visitor, "Late orders <b>")
    assert '<a href="/activity?show=waiting&amp;event=order_new"><bdi>Late orders &lt;b&gt;</bdi></a>' in visitor.page

    visitor.send("/activity/views/1/delete")
    assert "Late orders" not in visitor.go("/activity")


def test_the_default_view_opens_with_the_feed_and_all_can_still_be_shown(pages, store_id, visitor):
    add(pages, store_id, 1)
    save(visitor, "Waiting", is_default="on")

    assert visitor.ask("/activity").location == "/activity?show=waiting&event=order_new"
    visitor.go("/activity?show=all")
    assert rows(visitor) == [1]


def test_a_default_view_of_a_store_that_is_gone_does_not_open(pages, store_id, visitor):
    user_id = _user_id(pages)
    with writing(pages.site.engine) as conn:
        save_view(conn, user_id, "Old", {"store": "gone"}, NOW, is_default=True)

    visitor.go("/activity")

    assert (visitor.status, visitor.where) == (200, "/activity")


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x07b"])
def test_a_view_without_a_usable_name_is_not_saved(visitor, name):
    assert "a view needs a name" in save(visitor, name).lower()


def test_there_are_not_more_views_than_a_page_can_show(pages, visitor):
    user_id = _user_id(pages)
    with writing(pages.site.engine) as conn:
        for number in range(MAX_VIEWS):
            save_view(conn, user_id, str(number), {}, NOW, is_default=False)

    assert "delete one first" in save(visitor, "one more")


def test_the_views_of_another_user_are_neither_seen_nor_deleted(pages, store_id, visitor):
    save(visitor, "Mine")
    other = pages.logged_in(OTHERS)
    other.go("/account")
    other.send("/activity/views/1/delete")

    assert other.status == 404
    assert "Mine" not in other.go("/activity")
    assert "Mine" in visitor.go("/activity")


def _user_id(pages):
    with writing(pages.site.engine) as conn:
        return conn.execute(select(User.id).where(User.email == HERS)).scalar_one()


def test_an_event_is_saved_as_a_sample_that_names_no_one(pages, store_id, visitor):
    event_id = add(pages, store_id, 7015, data=order(id=7015))
    visitor.go(f"/activity/{event_id}")

    assert "The sample is saved." in visitor.send(f"/activity/{event_id}/sample", name="an order <b>")
    assert "an order &lt;b&gt;" in visitor.page
    assert "bea@example.com" not in visitor.text.split("Samples", 1)[1]
    assert "an order" in visitor.go("/samples")
    visitor.go("/samples/1")
    assert "The sample is deleted." in visitor.send("/samples/1/delete")


def test_the_sample_of_another_account_is_not_found(pages, store_id, visitor):
    event_id = add(pages, store_id, 1)
    visitor.go(f"/activity/{event_id}")
    visitor.send(f"/activity/{event_id}/sample", name="mine")
    other = pages.logged_in(OTHERS)

    other.go("/samples/1")
    assert other.status == 404
    assert "mine" not in other.go("/samples")


def test_asking_cratejoy_waits_for_a_worker_and_then_shows_what_differs(pages, store_id, visitor):
    event_id = add(pages, store_id, 7015, data=order(id=7015, status="new"))
    visitor.go(f"/activity/{event_id}")
    visitor.send(f"/activity/{event_id}/ask")

    assert f'hx-get="/activity/{event_id}/asked" hx-trigger="every 1s"' in visitor.page
    assert take_requests(pages.site.redis) == [event_id]

    answer = {"state": "found", "asked_at": NOW, "answered_at": NOW, "answer": order(id=7015, status="<b>")}
    pages.site.redis.set(f"cratewire:asked:{event_id}", json.dumps(answer))
    visitor.go(f"/activity/{event_id}/asked")
    assert "1 field differs from the hook" in visitor.text
    assert re.search(r'"status": "<b>" ?✗ differs', visitor.text)
    assert "hx-trigger" not in visitor.page


def test_an_event_that_the_api_knows_nothing_about_cannot_be_asked_about(pages, store_id, visitor):
    event_id = add(pages, store_id, 1, name="design_updated", subject=None, subject_id=None)

    visitor.go(f"/activity/{event_id}")

    assert "cannot be asked about this event" in visitor.text
    visitor.send(f"/activity/{event_id}/ask")
    assert visitor.status == 404


def test_a_message_and_a_hook_can_be_copied_as_curl_without_a_secret(pages, store_id, visitor):
    event_id = add(pages, store_id, 7015)
    send(pages, store_id, event_id, status="sent", done_at=NOW, message_id="01KP")

    visitor.go(f"/activity/{event_id}")

    assert "curl -X POST https://track.customer.io/api/v2/batch --user SITE_ID:API_KEY" in visitor.text
    assert "/hooks/acme/TOKEN/order_new -H" in visitor.text
    assert f"--data-binary @event-{event_id}.bin" in visitor.text
