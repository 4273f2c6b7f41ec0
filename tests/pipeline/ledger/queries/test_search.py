"""The search: what a text is recognised as, and what it leads to."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries.search import MAX_FOUND, search
from pipeline.ledger.schema import core
from pipeline.ledger.search_terms import NamedPerson, add_person_terms, add_tracking_numbers
from tests.pipeline.ledger.rows import add_dead_hook, add_deliveries, add_event, add_person, add_store

ULID, RECEIPT = "01KP0000000000000000000001", "01KP0000000000000000000002"
MESSAGE, DEAD = "01KP0000000000000000000003", "01KP0000000000000000000004"

SUBJECTS = {"order": 7001, "subscription": 8001, "shipment": 9001}


@pytest.fixture
def known(shop):
    """People and events to be found, by what they are called here."""
    with writing(shop.engine) as conn:
        ids = {}
        for name, store_id in (("mila", shop.store.id), ("theirs", add_store(conn, "moon-box").id)):
            ids[name] = add_person(conn, store_id, f"{name}@example.com", customer_id=4711)
            words = NamedPerson(store_id, ids[name], {"Mila", "Šimůnek"}, {f"{name}@example.com"})
            add_person_terms(conn, [words])
            ids[f"order of {name}"] = event_id = add_event(conn, store_id, 7001, ulid=ULID, receipt=RECEIPT)
            for kind, number in SUBJECTS.items():
                about = {"event_id": event_id, "kind": kind, "subject_id": number, "store_id": store_id}
                conn.execute(insert(core.EventSubject).values(about))
            add_tracking_numbers(conn, [(store_id, event_id, {"tracking_number": "1Z 999 AA1"})])
        add_deliveries(conn, shop.link, ids["mila"], event_id=ids["order of mila"], message_id=MESSAGE)
        ids["dead"] = add_dead_hook(conn, store_id=shop.store.id, store=shop.store.name, receipt=DEAD)
        add_dead_hook(conn, 2, store="moon-box")
        ids["other"] = add_person(conn, shop.store.id, "jo@example.com", customer_id=5)
        add_person_terms(conn, [NamedPerson(shop.store.id, ids["other"], {"Mila Sorenson"}, {"jo@example.com"})])
    return ids


def found(shop, text):
    with reading(shop.engine) as conn:
        return search(conn, [shop.store.id], text)


PEOPLE = {
    "mila@example.com": ("e-mail address", ["mila"]),
    "  MILA@Example.com ": ("e-mail address", ["mila"]),
    "mila@ex": ("e-mail address", ["mila"]),
    "simunek": ("name", ["mila"]),
    "Šimů": ("name", ["mila"]),
    "mila s": ("name", ["mila", "other"]),
    "sim mil": ("name", ["mila"]),
    "mila x": (None, []),
    "unek": (None, []),
    "4711": ("customer id at Cratejoy", ["mila"]),
    "customer 4711": ("customer id at Cratejoy", ["mila"]),
    "jo@": ("e-mail address", ["other"]),
}
EVENTS = {
    "7001": "number of an order",
    "order #7001": "number of an order",
    "#7001": "number of an order",
    "subscription 8001": "number of a subscription",
    "8001": "number of a subscription",
    "shipment #9001": "number of a shipment",
    "9001": "number of a shipment",
    "order 8001": None,
    "shipment 8001": None,
    ULID: "id at the platform",
    RECEIPT.lower(): "receipt of a hook",
    MESSAGE: "id of a message",
    "1z999aa1": "tracking number",
    "1Z 999": None,
    "1Z 999 A": "tracking number",
}


def test_a_text_leads_to_the_people_of_ones_own_stores_whom_it_names(shop, known):
    for text, (meaning, names) in PEOPLE.items():
        result = found(shop, text)

        assert [person.id for person in result.people] == [known[name] for name in names], text
        assert result.event_ids == (), text
        assert meaning is None or result.recognised[0] == meaning, text


def test_a_text_leads_to_the_events_of_ones_own_stores_that_it_names(shop, known):
    for text, meaning in EVENTS.items():
        result = found(shop, text)

        assert result.event_ids == ((known["order of mila"],) if meaning else ()), text
        assert result.recognised == ((meaning,) if meaning else ()), text
        assert result.people == (), text


def test_the_number_of_an_event_or_a_person_leads_there(shop, known):
    assert found(shop, f"event {known['order of mila']}").event_ids == (known["order of mila"],)
    assert [person.id for person in found(shop, f"person {known['mila']}").people] == [known["mila"]]
    assert found(shop, f"event {known['order of theirs']}").hits == 0
    assert found(shop, f"person {known['theirs']}").hits == 0


def test_a_receipt_leads_to_a_hook_that_could_not_be_read(shop, known):
    assert found(shop, DEAD).hook_ids == (known["dead"],)
    assert found(shop, "dead-2").hits == 0


@pytest.mark.parametrize("text", ["", "  ", "\x00", "%", "_", "'; --", "\ud800", "9" * 100, "order", "x" * 10_000])
def test_a_text_that_means_nothing_finds_nothing(shop, known, text):
    assert found(shop, text).hits == 0


def test_many_people_are_cut_and_the_result_says_so(shop, known):
    with writing(shop.engine) as conn:
        for number in range(MAX_FOUND + 1):
            person_id = add_person(conn, shop.store.id, f"n{number}@example.com")
            add_person_terms(conn, [NamedPerson(shop.store.id, person_id, {"Zoë"})])

    result = found(shop, "zoe")

    assert len(result.people) == MAX_FOUND
    assert result.has_more


def test_no_store_has_no_one(shop, known):
    with reading(shop.engine) as conn:
        assert search(conn, [], "simunek").hits == 0
