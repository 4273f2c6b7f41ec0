"""The removal of a store on the pages: asked twice, and called off until its rows are deleted."""

from __future__ import annotations

import pytest

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.removals import begin_deletion, find_removal, postpone_removal

HERS, READERS = "bea@example.com", "robin@example.com"
REMOVAL = "/stores/acme/removal"


@pytest.fixture
def store_id(pages):
    account = pages.member(HERS)
    pages.member(READERS, account, "reader")
    return pages.store("acme", account)


def removal_of(pages, store_id):
    with reading(pages.site.engine) as conn:
        return find_removal(conn, store_id)


@pytest.fixture
def asked(pages, store_id):
    """An owner who has asked for the removal."""
    visitor = pages.logged_in(HERS)
    visitor.go(REMOVAL)
    visitor.send(typed="acme")
    return visitor


def test_the_typed_name_starts_the_removal(pages, store_id, asked):
    assert asked.where == "/stores/acme"
    assert "This store is being removed" in asked.text
    assert removal_of(pages, store_id) is not None


def test_a_store_that_is_being_removed_is_not_asked_for_keys(asked):
    assert "its hooks at Cratejoy are deleted first" in asked.text
    assert "New keys" not in asked.text


def test_another_name_removes_nothing(pages, store_id):
    visitor = pages.logged_in(HERS)
    visitor.go(REMOVAL)
    visitor.send(typed="acm")

    assert (visitor.status, removal_of(pages, store_id)) == (422, None)
    assert "Nothing was removed" in visitor.text


def test_a_reader_cannot_ask_for_it(pages, store_id):
    visitor = pages.logged_in(READERS)
    visitor.go(REMOVAL)

    assert (visitor.status, removal_of(pages, store_id)) == (403, None)


def test_the_page_says_why_it_does_not_go_on(pages, store_id, asked):
    with writing(pages.site.engine) as conn:
        postpone_removal(conn, store_id, 0, "GET hooks: answered 503")
    asked.go("/stores/acme")

    assert "That is not possible: Cratejoy answered 503." in asked.text
    assert "Remove it without its hooks" in asked.text


def test_it_can_be_called_off(pages, store_id, asked):
    asked.send(f"{REMOVAL}/call-off")

    assert "The store is kept." in asked.text
    assert removal_of(pages, store_id) is None


def test_a_store_whose_rows_are_being_deleted_cannot_be_kept(pages, store_id, asked):
    with writing(pages.site.engine) as conn:
        begin_deletion(conn, store_id, 0)
    asked.send(f"{REMOVAL}/call-off")

    assert "no longer possible" in asked.text
    assert "This store is being deleted" in asked.text
