"""The search of the header in a browser without scripts."""

from __future__ import annotations

import pytest

from pipeline.ledger.engine import writing
from pipeline.ledger.search_terms import FILLED_KINDS, NamedPerson, add_person_terms, fill_slice
from tests.builders import NOW
from tests.pipeline.ledger.rows import add_dead_hook, add_event, add_person

HERS, OTHERS = "bea@example.com", "eve@example.com"
HOSTILE = "<script>alert(1)</script>\u202e"


@pytest.fixture
def store_id(pages):
    pages.store("not-hers", pages.member(OTHERS))
    return pages.store("acme", pages.member(HERS))


@pytest.fixture
def visitor(pages, store_id):
    return pages.logged_in(HERS)


def add(pages, store_id, email, name):
    with writing(pages.site.engine) as conn:
        person_id = add_person(conn, store_id, email, attributes={"first_name": name})
        add_person_terms(conn, [NamedPerson(store_id, person_id, {name}, {email})])
    return person_id


def test_the_only_hit_is_gone_to_and_the_page_says_why(pages, store_id, visitor):
    person_id = add(pages, store_id, "mila@example.com", "Šimůnek")

    answer = visitor.ask("/search", q="simunek")

    assert (answer.status_code, answer.location) == (302, f"/stores/acme/people/{person_id}")
    assert "Found by the name." in visitor.go("/account")


def test_several_hits_are_listed(pages, store_id, visitor):
    add(pages, store_id, "mila@example.com", "Mila")
    add(pages, store_id, "milan@example.com", f"Milan {HOSTILE}")

    visitor.go("/search?q=MIL")

    assert "Found by name" in visitor.text
    assert "mila@example.com" in visitor.text
    assert "milan@example.com" in visitor.text
    assert "<script>alert" not in visitor.page
    assert "\u202e" not in visitor.page


def test_events_are_listed_as_in_the_feed(pages, store_id, visitor):
    with writing(pages.site.engine) as conn:
        for number in (1, 2):
            add_event(conn, store_id, number, receipt="01KP0000000000000000000002")

    visitor.go("/search?q=01kp0000000000000000000002")

    assert visitor.page.count('<li id="event-') == 2


def test_an_event_and_a_hook_are_gone_to(pages, store_id, visitor):
    with writing(pages.site.engine) as conn:
        event_id = add_event(conn, store_id, 1)
        dead_id = add_dead_hook(conn, store="acme", receipt="01KP0000000000000000000004")

    assert visitor.ask("/search", q=f"event {event_id}").location == f"/activity/{event_id}"
    assert visitor.ask("/search", q="01KP0000000000000000000004").location == f"/activity/unreadable/{dead_id}"


def test_people_of_other_accounts_are_not_found(pages, store_id, visitor):
    with writing(pages.site.engine) as conn:
        other = conn.exec_driver_sql("SELECT id FROM stores WHERE name = 'not-hers'").scalar_one()
    add(pages, other, "mila@example.com", "Mila")

    for text in ("mila", "mila%40example.com"):
        visitor.go(f"/search?q={text}")
        assert "Nothing is found" in visitor.text


def test_a_text_that_is_no_search_is_shown_as_text(visitor):
    visitor.go("/search?q=%3Cscript%3Ealert(1)%3C/script%3E%E2%80%AE%00")

    assert "<script>alert" not in visitor.page
    assert "\u202e" not in visitor.page.split("<main", 1)[1]


def test_an_empty_search_says_what_can_be_searched_for(pages, visitor):
    assert "a tracking number" in visitor.go("/search")
    assert "still being read" in visitor.text

    with writing(pages.site.engine) as conn:
        for kind in FILLED_KINDS:
            fill_slice(conn, kind, 10, NOW)
    assert "still being read" not in visitor.go("/search")
