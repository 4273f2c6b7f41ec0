"""The people of all stores of a user: the newest changes first, found by address or number, and nothing of others."""

from __future__ import annotations

from html import unescape

import pytest
from sqlalchemy import insert

from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from pipeline.ledger.schema.search import PersonTerm
from tests.builders import NOW

OWNER, OTHER = "olga@example.com", "eve@example.com"


def add(pages, store_id, number, *, known_at=NOW, email=None, withheld=None):
    email = email or f"person{number}@example.com"
    row = {"id": number, "store_id": store_id, "customer_id": 7000 + number, "email": email, "withheld": withheld}
    key = {"store_id": store_id, "person_id": number}
    with writing(pages.site.engine) as conn:
        conn.execute(insert(core.Person).values(**row, attributes={}, known_at=known_at, created_at=NOW))
        conn.execute(insert(core.PersonKey).values(**key, kind="email", value=email))
        conn.execute(insert(core.PersonKey).values(**key, kind="customer", value=str(7000 + number)))


@pytest.fixture(autouse=True)
def stores(pages):
    mine = pages.member(OWNER)
    other = pages.member(OTHER)
    return pages.store("acme", mine), pages.store("beta", mine), pages.store("theirs", other)


def listed(page):
    return [int(part.split('"')[0]) for part in page.split("/people/")[1:]]


def test_people_of_all_stores_come_by_their_newest_change(pages, stores):
    for number, (store, known_at) in enumerate([(0, 5), (1, 9), (0, 7), (2, 99), (1, 7)], 1):
        add(pages, stores[store], number, known_at=known_at)

    assert listed(pages.logged_in(OWNER).go("/people")) == [2, 5, 3, 1]


def test_the_list_pages_by_keys_and_repeats_nothing(pages, stores):
    for number in range(1, 121):
        add(pages, stores[number % 2], number, known_at=NOW + number // 3)
    visitor, found = pages.logged_in(OWNER), []
    page = visitor.go("/people")
    while True:
        found += listed(page)
        if ">Older</a>" not in page:
            break
        page = visitor.go(unescape(page.split('class="more" href="')[1].split('"')[0]))

    assert found == list(range(120, 0, -1))


def test_withheld_people_are_a_filter_and_a_store_another(pages, stores):
    add(pages, stores[0], 1)
    add(pages, stores[0], 2, withheld="withheld_marketplace")
    add(pages, stores[1], 3, withheld="withheld_marketplace")
    visitor = pages.logged_in(OWNER)

    assert listed(visitor.go("/people?show=withheld")) == [3, 2]
    assert listed(visitor.go("/people?show=withheld&store=acme")) == [2]


@pytest.mark.parametrize("query", ["store=theirs", "show=erased", "after=1", "after=x.1", f"after={'9' * 30}.1"])
def test_what_is_not_theirs_or_cannot_be_read_is_not_found(pages, query):
    visitor = pages.logged_in(OWNER)
    visitor.go(f"/people?{query}")

    assert visitor.status == 404


@pytest.mark.parametrize("wanted", ["robin@example.com", " Robin@Example.com", "7002"])
def test_one_person_is_opened_at_once(pages, stores, wanted):
    add(pages, stores[1], 2, email="robin@example.com")
    add(pages, stores[2], 3)
    visitor = pages.logged_in(OWNER)
    visitor.go("/people")
    visitor.send("/people", wanted=wanted)

    assert visitor.where == "/stores/beta/people/2"


def test_people_are_found_by_any_part_of_their_name(pages, stores):
    for number, store in enumerate(stores, 1):
        add(pages, store, number)
        with writing(pages.site.engine) as conn:
            row = {"person_id": number, "store_id": store, "kind": "name", "value": "simunek"}
            conn.execute(insert(PersonTerm).values(row))
    visitor = pages.logged_in(OWNER)
    visitor.go("/people")

    assert sorted(listed(visitor.send("/people", wanted="Šimůn"))) == [1, 2]


def test_one_address_in_two_stores_is_two_rows(pages, stores):
    for number, store in enumerate(stores, 1):
        add(pages, store, number, email="robin@example.com")
    visitor = pages.logged_in(OWNER)
    visitor.go("/people")

    assert listed(visitor.send("/people", wanted="robin@example.com")) == [1, 2]


def test_who_is_not_found_is_explained_with_what_to_do(pages):
    visitor = pages.logged_in(OWNER)
    visitor.go("/people")
    text = visitor.send("/people", wanted="unknown@example.com")

    assert visitor.status == 404
    assert "No person of your 2 stores has this address" in text
    assert "only people whom a hook has named are known" in unescape(text)
