"""Settings about consent: each change is saved, and recorded with who made it."""

from __future__ import annotations

import pytest

from pipeline.core.consent import COMMAND_LINE
from pipeline.core.errors import Misconfigured
from pipeline.ledger.consent import list_decisions
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.stores import get_store
from pipeline.operations.consent import answer_sources, set_gift_recipients, set_marketplace_policy
from tests.pipeline.ledger.rows import NOW, add_store

LATER = NOW + 60_000_000


@pytest.fixture
def store(engine):
    with writing(engine) as conn:
        return add_store(conn)


def read_store(engine, store):
    with reading(engine) as conn:
        return get_store(conn, store.id)


def test_a_new_store_withholds_marketplace_customers_and_has_answered_nothing(store):
    settings = (store.marketplace_policy, store.marketplace_sources, store.storefront_sources, store.gift_recipients)

    assert settings == ("withhold", None, None, "profile")


def test_a_policy_is_saved_with_who_chose_it_and_when(engine, store):
    with writing(engine) as conn:
        set_marketplace_policy(conn, store.id, "forward", "7", LATER)

    saved = read_store(engine, store)
    chosen = (saved.marketplace_policy, saved.marketplace_policy_by, saved.marketplace_policy_at)
    assert chosen == ("forward", "7", LATER)


def test_every_change_is_a_decision_with_what_was_valid_before(engine, store):
    with writing(engine) as conn:
        set_marketplace_policy(conn, store.id, "forward", "7", LATER)
        set_gift_recipients(conn, store.id, "withhold", COMMAND_LINE, LATER + 1)

    with reading(engine) as conn:
        rows = list_decisions(conn, store.id)
    assert [(row.kind, row.decided_by, row.decided_at, row.detail) for row in rows] == [
        ("gift_recipients", COMMAND_LINE, LATER + 1, {"policy": "withhold", "before": "profile"}),
        ("marketplace_policy", "7", LATER, {"policy": "forward", "before": "withhold"}),
    ]


def test_answered_sources_are_texts_each_on_one_list(engine, store):
    with writing(engine) as conn:
        answer_sources(conn, store.id, [" 2", "2", "market"], ["1"], "7", LATER)

    saved = read_store(engine, store)
    assert (saved.marketplace_sources, saved.storefront_sources) == (("2", "market"), ("1",))


def test_that_no_source_means_marketplace_is_an_answer_too(engine, store):
    with writing(engine) as conn:
        answer_sources(conn, store.id, [], ["1"], "7", LATER)

    assert read_store(engine, store).marketplace_sources == ()


@pytest.mark.parametrize(
    ("marketplace", "storefront", "words"),
    [(["1"], ["1 "], "not both: 1"), ([" "], [], "1 to 100 characters"), (["x" * 101], [], "1 to 100 characters")],
)
def test_an_answer_that_cannot_be_used_is_refused(engine, store, marketplace, storefront, words):
    with writing(engine) as conn, pytest.raises(Misconfigured, match=words):
        answer_sources(conn, store.id, marketplace, storefront, "7", LATER)


@pytest.mark.parametrize("change", [set_marketplace_policy, set_gift_recipients])
def test_a_choice_that_does_not_exist_is_refused(engine, store, change):
    with writing(engine) as conn, pytest.raises(Misconfigured, match=r"is one of: .*; not sell"):
        change(conn, store.id, "sell", "7", LATER)
