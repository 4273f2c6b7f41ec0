"""People, found by e-mail address, customer id or person id."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import FactDetail, find_people
from pipeline.ledger.schema import core
from tests.pipeline.ledger.conftest import StoreSetup
from tests.pipeline.ledger.rows import add_event, add_person, add_store


@pytest.fixture
def known(shop: StoreSetup) -> int:
    with writing(shop.engine) as conn:
        return add_person(conn, shop.store.id, "rory@example.com", customer_id=7001)


@pytest.mark.parametrize("wanted", ["rory@example.com", " Rory@Example.com ", "7001"])
def test_a_person_is_found_by_their_keys(shop, known, wanted):
    with reading(shop.engine) as conn:
        assert [person.id for person in find_people(conn, wanted)] == [known]


def test_a_person_is_found_by_their_own_id(shop, known):
    with reading(shop.engine) as conn:
        assert [person.id for person in find_people(conn, str(known))] == [known]


@pytest.mark.parametrize("wanted", ["unknown@example.com", "31337", "9" * 40, "²", "", "'; --"])
def test_an_unknown_key_finds_no_person(shop, known, wanted):
    with reading(shop.engine) as conn:
        assert find_people(conn, wanted) == []


def test_one_address_may_find_a_person_in_two_stores(shop, known):
    with writing(shop.engine) as conn:
        add_person(conn, add_store(conn, "moon-box").id, "rory@example.com")

        assert [person.store for person in find_people(conn, "rory@example.com")] == ["sunny-box", "moon-box"]


def test_a_person_has_all_their_keys(shop, known):
    with reading(shop.engine) as conn:
        (person,) = find_people(conn, "7001")

    assert person.keys == [("customer", "7001"), ("email", "rory@example.com")]


def test_a_person_has_their_facts(shop, known):
    fact = {"kind": "order", "subject": "7015", "data": {"total": [5, 3495]}}
    with writing(shop.engine) as conn:
        conn.execute(insert(core.Fact).values(person_id=known, **fact))
        (person,) = find_people(conn, "7001")

    assert person.facts == [FactDetail(**fact)]


def test_a_person_has_their_last_events(shop, known):
    with writing(shop.engine) as conn:
        events = [add_event(conn, shop.store.id, number) for number in range(25)]
        rows = [{"event_id": event_id, "person_id": known, "role": "customer"} for event_id in events]
        conn.execute(insert(core.EventPerson), rows)
        (person,) = find_people(conn, "7001")

    assert [event.id for event in person.events] == events[::-1][:20]


def test_the_repr_of_a_person_shows_no_personal_data(shop, known):
    with reading(shop.engine) as conn:
        assert "rory" not in repr(find_people(conn, "7001"))
