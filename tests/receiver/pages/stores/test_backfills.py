"""The backfill on a store's page: what it shows, and who may control it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select, update

from pipeline.backfill.schedule import start_backfill
from pipeline.ledger.backfills import ALL, CANCELLED, PAUSED, RUNNING, find_last_backfill
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.store_apis import save_store_api

HERS, READERS = "bea@example.com", "robin@example.com"


@pytest.fixture
def store_id(pages):
    account = pages.member(HERS)
    pages.member(READERS, account, "reader")
    found = pages.store("acme", account)
    with writing(pages.site.engine) as conn:
        save_store_api(conn, found, b"sealed", pages.site.now())
    return found


def state_of(pages, store_id):
    with reading(pages.site.engine) as conn:
        found = find_last_backfill(conn, store_id)
    return found and found.state


def buttons(visitor):
    return re.findall(r'action="/stores/acme/backfill/(\w+)"', visitor.go("/stores/acme/customers"))


def test_the_page_shows_how_far_it_has_come(pages, store_id):
    start_backfill(pages.site.engine, store_id, ALL, pages.site.now())
    counts = {"subscriptions": 300, "orders": 300, "customers": 1400}
    read = {"subscriptions": 300, "orders": 300, "customers": 400}
    with writing(pages.site.engine) as conn:
        changed = {"phase": "customers", "totals": counts, "done": read, "pages": 10, "throttled_us": 12_000_000}
        conn.execute(update(Backfill).values(**changed))
    pages.clock[0] += 20_000_000

    visitor = pages.logged_in(HERS)
    visitor.go("/stores/acme")

    assert "being read" in visitor.text
    assert "400 of 1,400 read, about 20 s left. Reading customers." in visitor.text
    assert "pages 10 of 20 pages a second 0.5" in visitor.text
    assert "waited because Cratejoy asked for it 12 s" in visitor.text


def test_what_changes_alone_shows_it_too(pages, store_id):
    start_backfill(pages.site.engine, store_id, ALL, pages.site.now())

    assert "being read" in pages.logged_in(HERS).go("/stores/acme/latest")


def test_a_browser_without_scripts_reloads_the_page(pages, store_id):
    page = pages.logged_in(HERS).go("/stores/acme")

    assert '<noscript><meta http-equiv="refresh"' in page


@pytest.mark.parametrize(
    ("first", "offered"),
    [([], ["start"]), (["start"], ["pause", "cancel"]), (["start", "pause"], ["resume", "cancel"])],
)
def test_an_owner_is_offered_what_can_be_done(pages, store_id, first, offered):
    visitor = pages.logged_in(HERS)
    visitor.go("/stores/acme")
    for action in first:
        visitor.send(f"/stores/acme/backfill/{action}")

    assert buttons(visitor) == offered


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        (["start"], RUNNING),
        (["start", "pause"], PAUSED),
        (["start", "pause", "resume"], RUNNING),
        (["start", "cancel"], CANCELLED),
        (["start", "cancel", "start"], RUNNING),
    ],
)
def test_an_owner_steers_it(pages, store_id, steps, state):
    visitor = pages.logged_in(HERS)
    visitor.go("/stores/acme")
    for action in steps:
        visitor.send(f"/stores/acme/backfill/{action}")

    assert (visitor.where, state_of(pages, store_id)) == ("/stores/acme", state)


@pytest.mark.parametrize("steps", [["pause"], ["start", "start"], ["start", "resume"]])
def test_what_is_no_longer_possible_is_said(pages, store_id, steps):
    visitor = pages.logged_in(HERS)
    visitor.go("/stores/acme")
    for action in steps:
        visitor.send(f"/stores/acme/backfill/{action}")

    assert "changed in the meantime" in visitor.text


def test_a_store_without_keys_for_its_api_offers_nothing(pages):
    pages.store("acme", pages.member(HERS))

    assert buttons(pages.logged_in(HERS)) == []


def test_a_reader_is_offered_nothing_and_can_do_nothing(pages, store_id):
    visitor = pages.logged_in(READERS)
    offered = buttons(visitor)
    visitor.go("/account")
    visitor.send("/stores/acme/backfill/start")

    assert (offered, visitor.status, state_of(pages, store_id)) == ([], 403, None)


def test_there_is_no_other_action(pages, store_id):
    visitor = pages.logged_in(HERS)
    visitor.go("/stores/acme")
    visitor.send("/stores/acme/backfill/erase")

    assert visitor.status == 404


def test_what_went_wrong_is_said(pages, store_id):
    start_backfill(pages.site.engine, store_id, ALL, pages.site.now())
    with writing(pages.site.engine) as conn:
        conn.execute(update(Backfill).values(error="the store's API answered 500"))

    visitor = pages.logged_in(HERS)
    visitor.go("/stores/acme")

    assert "The store's API answered 500. It is tried again by itself." in visitor.text


def end(pages, state, customers):
    with writing(pages.site.engine) as conn:
        newest = select(func.max(Backfill.id)).scalar_subquery()
        counts = {"done": {"customers": customers}, "totals": {"customers": 412}}
        conn.execute(
            update(Backfill).where(Backfill.id == newest).values(state=state, ended_at=pages.site.now(), **counts)
        )


def test_a_reading_that_is_cancelled_leaves_the_figures_of_the_last_whole_one(pages, store_id):
    start_backfill(pages.site.engine, store_id, ALL, pages.site.now())
    end(pages, "done", 412)
    start_backfill(pages.site.engine, store_id, ALL, pages.site.now())
    end(pages, "cancelled", 3)

    visitor = pages.logged_in(HERS)
    visitor.go("/stores/acme/customers")

    assert "all read 412 of 412 read" in visitor.text
    assert "The last reading was cancelled at 3 of 412" in visitor.text
    assert "The figures above are of the last whole one." in visitor.text


def test_reading_all_again_asks_first_and_says_what_may_start(pages, store_id):
    start_backfill(pages.site.engine, store_id, ALL, pages.site.now())
    end(pages, "done", 412)

    visitor = pages.logged_in(HERS)
    visitor.go("/stores/acme/customers")

    assert "412 profiles are sent again. Campaigns that start when a person enters a segment may start" in visitor.text
    assert "Next look for changes in 1 day" in visitor.text


def test_what_was_done_is_said_where_it_was_asked_for(pages, store_id):
    visitor = pages.logged_in(HERS)
    visitor.go("/stores/acme/customers")
    visitor.send("/stores/acme/backfill/start", back="customers")

    assert visitor.where == "/stores/acme/customers"
    assert "All customers are being read." in visitor.text
