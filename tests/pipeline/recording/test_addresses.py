"""People whose addresses were typed in other ways: each is one person, however their address came."""

from __future__ import annotations

import pytest

from pipeline.ledger.engine import reading
from pipeline.ledger.queries import find_people
from pipeline.ledger.schema import core
from schemas import load
from tests.builders import BUYER, RECIPIENT, customer, gift_info, order, subscription

NAME, AT, DOMAIN = RECIPIENT.partition("@")
TYPED = [
    f"\u200b{RECIPIENT}",
    f"{NAME[:4]}\u200b{NAME[4:]}@{DOMAIN}",
    f"\ufeff{RECIPIENT}",
    f"{NAME}@exa\u00admple.com",
    f"\u202a{RECIPIENT}\u202c",
    f"{NAME}\x07@{DOMAIN}",
    RECIPIENT.upper(),
]


def gift_for(address, number=7015):
    """An order whose recipient's address was typed like this, as it is loaded."""
    return load("order", order(id=number, is_gift=True, order_gift_info=gift_info(gift_recipient_email=address))).data


def addresses(recorder):
    return [row.email for row in recorder.rows(core.Person)]


@pytest.mark.parametrize("typed", TYPED, ids=ascii)
def test_a_recipient_is_one_person_however_their_address_is_typed(recorder, typed):
    recorder.record_one("order_new", gift_for(RECIPIENT, 1))
    recorder.record_one("order_new", gift_for(typed, 2))

    assert addresses(recorder) == [BUYER["email"], RECIPIENT]


@pytest.mark.parametrize("typed", [f"\u200b{BUYER['email']}", BUYER["email"].replace("@", "\u00ad@")], ids=ascii)
def test_a_giver_who_pastes_their_own_address_is_the_recipient(recorder, typed):
    recorder.record_one("order_new", gift_for(typed))

    (event,) = recorder.rows(core.Event)
    assert addresses(recorder) == [BUYER["email"]]
    assert {"code": "recipient_is_buyer"} in event.notes


@pytest.mark.parametrize("name", ["josé", "jose\u0301", "JOSÉ"], ids=ascii)
def test_an_address_is_found_however_its_letters_are_composed(recorder, name):
    recorder.record_one("customer_new", load("customer", customer(email="jose\u0301@example.com")).data)

    with reading(recorder.engine) as conn:
        assert [person.email for person in find_people(conn, f"{name}@example.com")] == ["josé@example.com"]


def test_an_address_with_an_empty_label_is_not_used_and_the_event_says_so(recorder):
    recorder.record_one("order_new", gift_for("rory@example..com"))

    (event,) = recorder.rows(core.Event)
    assert addresses(recorder) == [BUYER["email"]]
    assert {"code": "recipient_email_malformed"} in event.notes


def test_a_customer_whose_address_is_none_is_kept_without_one_and_both_say_so(recorder):
    recorder.record_one("customer_new", load("customer", customer(email="bea@example..com")).data)

    (event,), (cast,) = recorder.rows(core.Event), recorder.rows(core.EventPerson)
    assert (addresses(recorder), cast.reason) == ([None], "email_malformed")
    assert {"code": "email_malformed", "role": "customer"} in event.notes
    assert recorder.sent() == []


def test_a_customer_whose_address_becomes_none_keeps_the_one_that_was_known(recorder):
    recorder.record_one("customer_new", customer())
    recorder.record_one("subscription_new", load("subscription", subscription(customer=customer(email="bea@@x"))).data)

    assert recorder.sent() == [(BUYER["email"], "customer_new"), (BUYER["email"], "subscription_new")]


def test_names_and_places_have_no_invisible_characters(recorder):
    typed = {"first_name": "Be\u200ba", "addresses": [{"id": 1, "city": "\u202eAustin\u202c\ufeff"}]}
    recorder.record_one("customer_new", load("customer", customer(**typed)).data)

    (person,) = recorder.rows(core.Person)
    assert (person.attributes["first_name"], person.attributes["city"]) == ("Bea", "Austin")
