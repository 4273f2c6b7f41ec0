"""An owner finds, exports and erases a person on the pages; a reader only looks."""

from __future__ import annotations

import json

import pytest

from pipeline.inbox.entry import InboxEntry
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.regulations import list_regulations
from pipeline.ledger.schema import core
from pipeline.processing.decode import decode_batch
from pipeline.processing.record import record
from pipeline.processing.validate import validate_batch
from tests.builders import BUYER, NOW, gift_order

OWNER, READER = "olga@example.com", "robin@example.com"
PERSON = "/stores/acme/people/1"


@pytest.fixture(autouse=True)
def sold(pages):
    account = pages.member(OWNER)
    pages.member(READER, account, "reader")
    pages.store("acme", account)
    entry = InboxEntry("receipt-1", "acme", 1, "order_new", NOW, json.dumps(gift_order()).encode(), entry_id="1-0")
    batch = validate_batch(decode_batch([entry], 0, pages.site.now), pages.site.now)
    record(
        pages.site.engine, batch, {entry.entry_id: (entry.raw, None)}, pages.site.now, pages.site.settings.secret_keys
    )


def people(pages):
    with reading(pages.site.engine) as conn:
        return {row.id: row.email for row in conn.execute(core.Person.__table__.select())}


def regulations(pages):
    with reading(pages.site.engine) as conn:
        return list_regulations(conn)


@pytest.mark.parametrize("wanted", [BUYER["email"], " BEA.Buyer@example.com", "7001", "1"])
def test_a_person_is_found_without_the_address_in_a_url(pages, wanted):
    visitor = pages.logged_in(OWNER)
    visitor.go("/stores/acme/people")
    visitor.send("/stores/acme/people", wanted=wanted)

    assert (visitor.where, "Bea Buyer" in visitor.text) == (PERSON, True)


@pytest.mark.parametrize(
    ("wanted", "says"), [("unknown@example.com", "no person with that"), ("Bea", "Give an e-mail address")]
)
def test_what_names_no_person_is_said(pages, wanted, says):
    visitor = pages.logged_in(OWNER)
    visitor.go("/stores/acme/people")
    visitor.send("/stores/acme/people", wanted=wanted)

    assert says in visitor.text


def test_the_page_shows_keys_attributes_and_events(pages):
    shown = pages.logged_in(OWNER).go(PERSON)

    assert [
        text for text in (BUYER["email"], "7001", "first_name", "order_new", "Export", "Erase") if text not in shown
    ] == []


def test_a_reader_sees_the_person_and_no_buttons(pages):
    visitor = pages.logged_in(READER)
    shown = visitor.go(PERSON)

    assert BUYER["email"] in shown
    assert [text for text in (f"{PERSON}/export", f"{PERSON}/erase") if text in shown] == []


@pytest.mark.parametrize("path", [f"{PERSON}/export", f"{PERSON}/erase"])
def test_a_reader_may_neither_export_nor_erase(pages, path):
    visitor = pages.logged_in(READER)
    visitor.go(path)

    assert visitor.status == 403


def test_a_reader_who_sends_the_form_erases_nothing(pages):
    visitor = pages.logged_in(READER)
    visitor.go("/account")
    visitor.send(f"{PERSON}/erase", typed=BUYER["email"])

    assert (visitor.status, regulations(pages)) == (403, [])


def test_the_export_is_a_file(pages):
    visitor = pages.logged_in(OWNER)
    document = json.loads(visitor.go(f"{PERSON}/export"))

    assert document["person"]["email"] == BUYER["email"]
    assert visitor.headers["Content-Disposition"] == 'attachment; filename="acme-person-1.json"'
    assert visitor.headers["Cache-Control"] == "no-store"


def test_an_erasure_wants_the_address_typed(pages):
    visitor = pages.logged_in(OWNER)
    visitor.go(f"{PERSON}/erase")
    assert "1 event, 2 messages" in visitor.text
    visitor.send(f"{PERSON}/erase", typed="rory.receiver@example.com")

    assert (visitor.status, "Nothing was erased" in visitor.text, regulations(pages)) == (400, True, [])


@pytest.mark.parametrize("typed", [BUYER["email"], "BEA.buyer@example.com ", "7001", "1"])
def test_an_owner_erases_a_person(pages, typed):
    visitor = pages.logged_in(OWNER)
    visitor.go(f"{PERSON}/erase")
    visitor.send(f"{PERSON}/erase", typed=typed, suppress="on", at_destinations="on")

    [row] = regulations(pages)
    assert (row.kind, row.at_destinations, row.user_id) == ("suppress", True, 1)
    assert people(pages) == {1: None, 2: "rory.receiver@example.com"}
    assert [
        text for text in ("The person was erased", "Erased and suppressed", "waiting") if text not in visitor.text
    ] == []
    assert "Bea" not in visitor.text
    assert (pages.site.settings.data_dir / "regulations.json").exists()


def test_without_the_boxes_the_person_is_only_erased_here(pages):
    visitor = pages.logged_in(OWNER)
    visitor.go(f"{PERSON}/erase")
    visitor.send(f"{PERSON}/erase", typed="1", suppress=None, at_destinations=None)

    assert [(row.kind, row.at_destinations) for row in regulations(pages)] == [("erase", False)]


def test_a_person_of_another_store_is_not_shown(pages):
    other = pages.member("eve@example.com")
    pages.store("others", other)
    with writing(pages.site.engine) as conn:
        conn.execute(core.Person.__table__.update().values(store_id=2))

    for path in (PERSON, f"{PERSON}/export", f"{PERSON}/erase"):
        visitor = pages.logged_in(OWNER)
        visitor.go(path)
        assert visitor.status == 404


def test_erasures_are_listed_below_the_form(pages):
    visitor = pages.logged_in(OWNER)
    visitor.go(f"{PERSON}/erase")
    visitor.send(f"{PERSON}/erase", typed="7001", suppress="on", at_destinations="on")
    visitor.go("/stores/acme/people")

    assert "person 1 erased and suppressed 0 Customer.io: waiting" in visitor.text
