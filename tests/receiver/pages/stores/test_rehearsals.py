"""Rehearsals on the pages: asked for there, and shown with counts first."""

from __future__ import annotations

import pytest

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.rehearsals import begin_rehearsal, end_rehearsal, fail_rehearsal, list_rehearsals
from pipeline.rehearsal.change import load_change
from tests.builders import NOW

HERS, READERS = "bea@example.com", "robin@example.com"
PLACE = "/stores/acme/rehearsals"
REPORT = {
    "hooks": 60,
    "from_data": 2,
    "emptied": 0,
    "messages_before": 130,
    "messages_after": 131,
    "more_groups": 0,
    "groups": [
        {
            "connection": 1,
            "change": "changed",
            "kind": "event",
            "event": "order_new",
            "fields": ["name", "data.plan"],
            "more_fields": 3,
            "count": 19,
            "people": 15,
            "examples": [{"event": 7, "person": 3}, {"event": None, "person": None}],
        }
    ],
    "unsendable": [{"connection": 1, "event": "order_new", "kind": "profile", "count": 4}],
}


@pytest.fixture
def store_id(pages):
    account = pages.member(HERS)
    pages.member(READERS, account, "reader")
    return pages.store("acme", account)


@pytest.fixture
def asked(pages, store_id):
    """The visitor who has asked what Klaviyo would get."""
    visitor = pages.logged_in(HERS)
    visitor.go(PLACE)
    visitor.send(PLACE, platform="klaviyo", days="30")
    return visitor


def rows(pages):
    with reading(pages.site.engine) as conn:
        return list_rehearsals(conn, [1])


def test_another_platform_is_rehearsed(pages, asked):
    (row,) = rows(pages)

    assert (row.state, row.days, load_change(row.change).platform) == ("waiting", 30, "klaviyo")
    assert "Klaviyo as one platform more" in asked.go(f"{PLACE}/{row.id}")
    assert "cratewire rehearse --store acme --days 30 --add-platform klaviyo --list" in asked.text
    assert "Waits for a worker" in asked.text


def test_the_mapping_that_was_typed_is_rehearsed_and_not_saved(pages, store_id):
    visitor = pages.logged_in(HERS)
    place = "/stores/acme/connections/1/mapping"
    visitor.go(place)
    visitor.send(place, on=["order_new"], before="", attributes="", button="rehearse", **{"there-order_new": "Bought"})

    (row,) = rows(pages)
    assert '"order_new": "Bought"' in load_change(row.change).mappings[1]
    assert 'value="Bought"' not in visitor.go(place)


def test_what_it_found_has_its_counts_its_fields_and_links(pages, asked):
    (row,) = rows(pages)
    with writing(pages.site.engine) as conn:
        begin_rehearsal(conn, row.id, NOW)
        end_rehearsal(conn, row.id, NOW, report=REPORT, differences=19, release=None)

    page = asked.go(f"{PLACE}/{row.id}")

    assert "60 hooks: 130 messages as things are, 131 with the change." in page
    assert "19 differences." in page
    assert "data.plan" in page
    assert "and 3 more" in page
    assert "event 7</a>" in page
    assert "/people/3" in page
    assert "no request is made for 4 profiles after order_new" in page


def test_one_that_failed_says_why(pages, asked):
    (row,) = rows(pages)
    with writing(pages.site.engine) as conn:
        fail_rehearsal(conn, row.id, "a rehearsal needs 400 MB", NOW)

    assert "a rehearsal needs 400 MB" in asked.go(f"{PLACE}/{row.id}")
    assert "failed" in asked.go(PLACE)


def test_the_page_is_loaded_anew_when_it_is_done(pages, asked):
    (row,) = rows(pages)
    assert "HX-Refresh" not in asked.ask(f"{PLACE}/{row.id}/result").headers

    with writing(pages.site.engine) as conn:
        begin_rehearsal(conn, row.id, NOW)
        end_rehearsal(conn, row.id, NOW, report=REPORT, differences=19, release=None)

    assert asked.ask(f"{PLACE}/{row.id}/result").headers["HX-Refresh"] == "true"


@pytest.mark.parametrize("fields", [{"platform": "http"}, {"platform": "pigeon"}, {"days": "31"}])
def test_what_the_form_does_not_offer_is_not_found(pages, store_id, fields):
    visitor = pages.logged_in(HERS)
    visitor.go(PLACE)

    visitor.send(PLACE, **{"platform": "segment", "days": "30", **fields})

    assert visitor.status == 404


def test_a_reader_sees_them_and_cannot_ask(pages, store_id):
    visitor = pages.logged_in(READERS)

    assert "What would another platform get?" not in visitor.go(PLACE)
    visitor.go("/account")
    visitor.send(PLACE, platform="segment", days="30")
    assert visitor.status == 403
    assert rows(pages) == []


def test_the_settings_lead_there(pages, store_id):
    assert PLACE in pages.logged_in(HERS).go("/stores/acme/settings")
