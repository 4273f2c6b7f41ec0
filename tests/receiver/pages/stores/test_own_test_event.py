"""The test event of a shop's page: asked about first, to one's own address, and shown until it has arrived."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core

HERS, READERS = "bea@example.com", "robin@example.com"


@pytest.fixture
def visitor(pages):
    account = pages.member(HERS)
    pages.member(READERS, account, "reader")
    pages.store("acme", account)
    return pages.logged_in(HERS)


def addresses(pages):
    with reading(pages.site.engine) as conn:
        return {row.message["email"] for row in conn.execute(core.Delivery.__table__.select())}


def test_it_asks_first_and_says_what_it_does(pages, visitor):
    visitor.go("/stores/acme/test-event")

    assert "about your own address and no other: bea@example.com" in visitor.text
    assert addresses(pages) == set()


def test_it_goes_to_ones_own_address_whatever_is_sent(pages, visitor):
    visitor.go("/stores/acme/test-event")
    visitor.send(email="stranger@example.com", to="stranger@example.com")

    assert addresses(pages) == {HERS}
    assert "waits for Customer.io" in visitor.text


def test_the_page_says_when_it_has_arrived(pages, visitor):
    visitor.go("/stores/acme/test-event")
    visitor.send()
    asks = visitor.where + "/arrival"
    assert f'hx-get="{asks}"' in visitor.page
    with writing(pages.site.engine) as conn:
        conn.execute(update(core.Delivery).values(status="sent", done_at=pages.site.now() + 300_000))

    visitor.go(asks)

    assert "at Customer.io after 0.3 s" in visitor.text
    assert "hx-get" not in visitor.page


def test_it_goes_over_the_connection_that_led_here(pages, visitor):
    with writing(pages.site.engine) as conn:
        row = {"id": 2, "store_id": 1, "platform": "segment", "label": "", "account": "s", "config": b"", "lanes": 1}
        conn.execute(insert(core.StoreConnection).values(**row, status="active", status_at=0, created_at=0))
    place = "/stores/acme/test-event?connection=2"
    assert place in visitor.go("/stores/acme/connections/2/mapping")
    visitor.go(place)
    assert "It goes to Segment, about" in visitor.text

    visitor.send(place)

    with reading(pages.site.engine) as conn:
        assert {row.connection_id for row in conn.execute(core.Delivery.__table__.select())} == {2}


def test_without_a_platform_it_says_so(pages, visitor):
    with writing(pages.site.engine) as conn:
        conn.execute(core.StoreConnection.__table__.delete())

    assert "connected to no platform" in visitor.go("/stores/acme/test-event")


def test_a_reader_sends_none(pages, visitor):
    reader = pages.logged_in(READERS)
    reader.go("/stores/acme/test-event")

    assert reader.status == 403


def test_no_other_event_is_shown_as_a_test_event(visitor):
    visitor.go("/stores/acme/test-event/7")

    assert visitor.status == 404
