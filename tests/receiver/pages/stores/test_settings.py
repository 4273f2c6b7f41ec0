"""The settings of a store: what owners change, what readers see, and who is named as having decided."""

from __future__ import annotations

import pytest

from pipeline.ledger.accounts import NewUser, add_member, add_user, remove_user
from pipeline.ledger.consent import list_decisions
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries.audit import list_actions
from pipeline.ledger.sources import SourceSample, save_samples
from pipeline.ledger.stores import get_store

HERS, READERS = "bea@example.com", "robin@example.com"
SETTINGS = "/stores/acme/settings"
EXAMPLE = {"kind": "order", "id": 7015, "at": "2026-11-30"}


@pytest.fixture
def store_id(pages):
    account = pages.member(HERS)
    pages.member(READERS, account, "reader")
    found = pages.store("acme", account)
    with writing(pages.site.engine) as conn:
        save_samples(conn, found, [SourceSample("2", 40, 3, [EXAMPLE])], pages.site.now())
    return found


def row_of(pages, store_id):
    with reading(pages.site.engine) as conn:
        return get_store(conn, store_id)


def sent_by(pages, email, part, **fields):
    visitor = pages.logged_in(email)
    visitor.go(SETTINGS)
    visitor.send(f"{SETTINGS}/{part}", **fields)
    return visitor


def test_titles_are_shown_instead_of_names(pages, store_id):
    sent_by(pages, HERS, "titles", **{"title": "Acme Coffee", "connection-1": "Newsletter"})
    visitor = pages.logged_in(HERS)
    visitor.go("/")

    assert "Acme Coffee" in visitor.text
    assert "/stores/acme" in visitor.page
    assert "Newsletter" in visitor.go("/stores/acme/settings")


def test_an_unusable_title_is_refused(pages, store_id):
    assert "at most 80 characters" in sent_by(pages, HERS, "titles", title="x" * 81).text


def test_the_question_shows_counts_and_an_example(pages, store_id):
    visitor = pages.logged_in(HERS)
    visitor.go(SETTINGS)

    assert "40 of the last orders and 3 of the last subscriptions" in visitor.text
    assert "order 7015 of 2026-11-30" in visitor.text


@pytest.mark.parametrize(
    ("origin", "lists"), [("marketplace", (("2",), ())), ("storefront", ((), ("2",))), ("", (None, None))]
)
def test_an_answer_is_kept_and_may_stay_open(pages, store_id, origin, lists):
    sent_by(pages, HERS, "consent", **{"value-0": "2", "origin-0": origin})
    row = row_of(pages, store_id)

    assert (row.marketplace_sources, row.storefront_sources) == lists


def test_an_answer_may_be_changed(pages, store_id):
    for origin in ("marketplace", "storefront"):
        sent_by(pages, HERS, "consent", **{"value-0": "2", "origin-0": origin})
    row = row_of(pages, store_id)

    assert (row.marketplace_sources, row.storefront_sources) == ((), ("2",))


def test_forwarding_needs_a_confirmation(pages, store_id):
    visitor = sent_by(pages, HERS, "consent", marketplace="forward", gift_recipients="withhold")

    assert "confirm that they have agreed" in visitor.text
    assert (row_of(pages, store_id).marketplace_policy, row_of(pages, store_id).gift_recipients) == (
        "withhold",
        "profile",
    )


def test_who_confirmed_is_shown_with_the_time(pages, store_id):
    visitor = sent_by(pages, HERS, "consent", marketplace="forward", confirmed="yes")

    assert row_of(pages, store_id).marketplace_policy == "forward"
    assert f"set by {HERS}, 2026-" in visitor.text


def test_a_decision_of_a_user_who_was_removed_is_kept_without_their_address(pages, store_id):
    sent_by(pages, HERS, "consent", marketplace="forward", confirmed="yes")
    with writing(pages.site.engine) as conn:
        add_member(conn, 1, add_user(conn, NewUser("eve@example.com", "x", "y"), 0), "owner", 0)
        remove_user(conn, HERS)
    visitor = pages.logged_in(READERS)
    visitor.go(SETTINGS)

    assert "set by a user who was removed (number 1)" in visitor.text


def test_only_what_changes_is_a_decision(pages, store_id):
    sent_by(pages, HERS, "consent", marketplace="withhold", gift_recipients="withhold")
    with reading(pages.site.engine) as conn:
        assert [row.kind for row in list_decisions(conn, store_id)] == ["gift_recipients"]


def test_a_reader_sees_what_is_set_and_cannot_change_it(pages, store_id):
    visitor = pages.logged_in(READERS)
    visitor.go("/account")
    visitor.send(f"{SETTINGS}/consent", marketplace="forward", confirmed="yes")
    status = visitor.status
    visitor.go(SETTINGS)

    assert (status, row_of(pages, store_id).marketplace_policy) == (403, "withhold")
    assert "nothing about them is sent" in visitor.text
    assert "<button>Save" not in visitor.page


def test_the_page_of_the_store_says_what_is_not_answered(pages, store_id):
    visitor = pages.logged_in(READERS)
    visitor.go("/stores/acme")

    assert "Not answered yet: whether orders with source 2" in visitor.text


def log_of(pages):
    with reading(pages.site.engine) as conn:
        return [(row.action, row.about) for row in list_actions(conn, None)]


@pytest.mark.parametrize(
    ("part", "fields", "recorded"),
    [
        ("titles", {"title": "Acme Coffee"}, [("store.renamed", {})]),
        ("titles", {"connection-1": "Main"}, [("connection.renamed", {"connection": 1})]),
        ("consent", {"gift_recipients": "withhold"}, [("store.consent_changed", {})]),
    ],
)
def test_only_what_is_changed_is_in_the_audit_log(pages, store_id, part, fields, recorded):
    first = sent_by(pages, HERS, part, **fields)
    again = sent_by(pages, HERS, part, **fields)

    assert ("Saved." in first.text, "Nothing was changed." in again.text) == (True, True)
    assert log_of(pages) == recorded
