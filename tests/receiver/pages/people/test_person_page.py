"""The page of a person: who they are, each attribute with its hook, what happened, gifts, and what became of events."""

from __future__ import annotations

import json
from html import unescape

import pytest
from sqlalchemy import update

from pipeline.inbox.entry import InboxEntry
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.processing.decode import decode_batch
from pipeline.processing.record import record
from pipeline.processing.validate import validate_batch
from tests.builders import BUYER, HOUR, NOW, customer, gift_order, order

OWNER, READER = "olga@example.com", "robin@example.com"
BEA, RORY = "/stores/acme/people/1", "/stores/acme/people/2"


@pytest.fixture(autouse=True)
def account(pages):
    made = pages.member(OWNER)
    pages.member(READER, made, "reader")
    pages.store("acme", made)
    return made


def receive(pages, *hooks):
    """Hooks as (event, body, time, receipt's number)."""
    entries = [
        InboxEntry(f"receipt-{number}", "acme", 1, event, at, json.dumps(body).encode(), entry_id=f"{number}-0")
        for event, body, at, number in hooks
    ]
    batch = validate_batch(decode_batch(entries, 0, pages.site.now), pages.site.now)
    raws = {entry.entry_id: (entry.raw, None) for entry in entries}
    record(pages.site.engine, batch, raws, pages.site.now, pages.site.settings.secret_keys)


@pytest.fixture
def gift(pages):
    receive(
        pages,
        ("customer_new", customer(), NOW, 1),
        ("address_updated", customer(first_name="Beatrice"), NOW + HOUR, 2),
        ("order_new", gift_order(customer=customer(first_name="Beatrice")), NOW + 2 * HOUR, 3),
    )


@pytest.fixture
def withheld(pages):
    with writing(pages.site.engine) as conn:
        conn.execute(update(core.Store).values(marketplace_sources=["2"], storefront_sources=["1"]))
    receive(pages, ("order_new", order(source=2), NOW, 1))


def seen(page, *texts):
    """Those of the texts that the page lacks."""
    return [text for text in texts if text not in unescape(page)]


def test_the_first_sentence_says_who_they_are(pages, gift):
    shown = pages.logged_in(OWNER).go(BEA)

    assert seen(shown, "Beatrice Buyer", BUYER["email"], "also gave 1 gift", "customer with 1 order") == []


def test_an_attribute_has_its_earlier_value_and_leads_to_its_hook(pages, gift):
    shown = pages.logged_in(OWNER).go(BEA)

    assert seen(shown, "1 earlier value", "<bdi>Bea</bdi>", 'href="/activity/2#raw">address updated</a>') == []


def test_gifts_lead_to_the_other_person_in_both_directions(pages, gift):
    visitor = pages.logged_in(OWNER)

    assert seen(visitor.go(BEA), f'href="{RORY}"><bdi>Rory Receiver</bdi>', "order 7015") == []
    assert seen(visitor.go(RORY), f'href="{BEA}"><bdi>Beatrice Buyer</bdi>', "from ") == []


def test_the_question_is_answered_for_the_events_asked_about(pages, gift):
    visitor = pages.logged_in(OWNER)
    page = visitor.go(f"{BEA}?event=address_updated")
    answers = page[page.index('class="answers"') : page.index("</ol>", page.index('class="answers"'))]

    assert (answers.count("Waits for Customer.io"), "changed an address" in answers) == (1, True)
    assert "No event like this concerns this person" in visitor.go(f"{BEA}?event=checkout_failed&since=2026-01-01")


@pytest.mark.parametrize("query", ["since=yesterday", "before=1", "before=a.b", "before=1.2.3", f"before={'9' * 30}."])
def test_an_address_that_cannot_be_read_is_not_found(pages, gift, query):
    visitor = pages.logged_in(OWNER)
    visitor.go(f"{BEA}?{query}")

    assert visitor.status == 404


def test_the_timeline_pages_by_keys_and_repeats_nothing(pages):
    receive(pages, *(("billing_updated", customer(n=number), NOW + number * HOUR, number) for number in range(35)))
    visitor, found = pages.logged_in(OWNER), []
    page = visitor.go(BEA)
    while True:
        timeline = page[page.index('<ol class="timeline">') :]
        found += [int(part.split('"')[0]) for part in timeline.split('class="when" href="/activity/')[1:]]
        if ">Older</a>" not in page:
            break
        page = visitor.go(unescape(page.split('class="more" href="')[1].split('"')[0]))

    assert found == list(range(35, 0, -1))


def test_a_reader_sees_who_can_export_and_erase(pages, gift):
    shown = pages.logged_in(READER).go(BEA)

    assert seen(shown, f"{OWNER} can: send them the address of this page") == []
    assert "/erase" not in shown


def test_an_erased_person_has_no_history_and_says_what_platforms_have_still_to_do(pages, gift):
    visitor = pages.logged_in(OWNER)
    visitor.go(f"{BEA}/erase")
    visitor.send(f"{BEA}/erase", typed=BUYER["email"], at_destinations="on")

    lacking = seen(visitor.text, "Customer.io: waiting to be asked", "Nothing is known about this person any more")
    assert (lacking, "Bea" in visitor.text, "Erase …" in visitor.text) == ([], False, False)
    assert json.loads(visitor.go(f"{BEA}/export"))["attribute_changes"] == []


def test_an_owner_releases_a_withheld_person_only_with_their_word(pages, withheld):
    visitor = pages.logged_in(OWNER)
    assert seen(visitor.go(BEA), "Withheld because the person is known only from Marketplace") == []

    assert "Nothing was sent" in visitor.send(f"{BEA}/release")
    assert "The profile and 1 event are on their way" in visitor.send(f"{BEA}/release", agreed="on")
    visitor.go("/account")
    assert "is not withheld" in visitor.send(f"{BEA}/release", agreed="on")
    with reading(pages.site.engine) as conn:
        assert [row.kind for row in conn.execute(core.Delivery.__table__.select())] == ["profile", "event"]


def test_a_reader_releases_no_one(pages, withheld):
    visitor = pages.logged_in(READER)
    assert "Send what was withheld" not in visitor.go(BEA)
    visitor.go("/account")
    visitor.send(f"{BEA}/release", agreed="on")

    assert visitor.status == 403


def test_the_page_of_an_event_says_who_got_it(pages, gift):
    shown = pages.logged_in(OWNER).go("/activity/3")
    part = shown[shown.index('id="people"') : shown.index("</section>", shown.index('id="people"'))]

    assert seen(part, "Beatrice Buyer", "Rory Receiver", "(gift recipient)") == []
    assert part.count("Waits for Customer.io") == 2


def test_a_hostile_name_is_shown_as_it_is(pages):
    receive(
        pages, ("customer_new", customer(first_name="<script>alert(1)</script>", last_name="\u202egnp.exe"), NOW, 1)
    )
    shown = pages.logged_in(OWNER).go(BEA)

    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
