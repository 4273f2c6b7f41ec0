"""The first run of a store: its lines, and the first event."""

from __future__ import annotations

import pytest

from pipeline.ledger.engine import writing
from pipeline.ledger.hook_findings import replace_findings
from pipeline.ledger.store_apis import record_key_check, save_store_api
from receiver.pages.stores.first_run import SHOWN_FOR_US
from tests.pipeline.ledger.rows import NOW, add_event

HERS = "bea@example.com"


@pytest.fixture
def store_id(pages):
    made = pages.store("acme", pages.member(HERS))
    write(pages, lambda conn: save_store_api(conn, made, b"sealed", NOW))
    return made


def write(pages, step):
    with writing(pages.site.engine) as conn:
        return step(conn)


def seen(pages):
    visitor = pages.logged_in(HERS)
    visitor.go("/stores/acme")
    return visitor.text


def test_a_new_store_says_what_it_waits_for(pages, store_id):
    text = seen(pages)

    assert "acme: 1 of 5 done" in text
    assert "Cratejoy takes our keys." in text
    assert "17 hooks are being registered at Cratejoy." in text
    assert "Waiting for the first event from your shop …" in text


def test_hooks_that_are_missing_are_counted(pages, store_id):
    missing = {"event": "order_new", "kind": "missing", "remedy": "create", "hook_id": None, "target_host": None}
    write(pages, lambda conn: replace_findings(conn, store_id, [missing], NOW, NOW))

    assert "16 of 17 hooks registered at Cratejoy." in seen(pages)


def test_refused_keys_are_the_first_line(pages, store_id):
    write(pages, lambda conn: record_key_check(conn, store_id, "Cratejoy refused the keys", NOW))

    assert "Cratejoy refuses our keys." in seen(pages)


def test_the_first_event_takes_the_place_of_the_waiting(pages, store_id):
    write(pages, lambda conn: add_event(conn, store_id))

    text = seen(pages)
    assert "First event: " in text
    assert "See it in Customer.io" in text
    assert "Waiting for the first event" not in text


@pytest.mark.parametrize("name", ["cratewire_test", "order_new"])
def test_a_test_event_is_not_the_first_event(pages, store_id, name):
    write(pages, lambda conn: add_event(conn, store_id, name=name, source="test", is_test=True))

    text = seen(pages)
    assert "Waiting for the first event from your shop …" in text
    assert "Waiting for the first event from the shop." in text


def test_a_real_event_after_a_test_is_the_first(pages, store_id):
    write(pages, lambda conn: add_event(conn, store_id, 1, is_test=True))
    write(pages, lambda conn: add_event(conn, store_id, 2))

    assert "First event: " in seen(pages)


def test_an_hour_after_the_first_event_the_page_is_the_daily_one(pages, store_id):
    write(pages, lambda conn: add_event(conn, store_id))
    pages.clock[0] += SHOWN_FOR_US + 1_000_000

    assert "First event:" not in seen(pages)
