"""Stores with values of `source` that no one has explained."""

from __future__ import annotations

import pytest

from pipeline.attention.causes.marketplace import CAUSE
from pipeline.core.consent import COMMAND_LINE
from pipeline.ledger.engine import writing
from pipeline.ledger.sources import SourceSample, save_samples
from pipeline.ledger.stores import save_store
from pipeline.operations.consent import answer_sources, set_marketplace_policy
from tests.builders import NOW
from tests.contexts import make_context


@pytest.fixture
def store_id(engine):
    with writing(engine) as conn:
        store_id = save_store(conn, "acme", NOW).id
        save_samples(conn, store_id, [SourceSample(value, 1, 0, []) for value in ("1", "2")], NOW)
    return store_id


def find(engine):
    return list(CAUSE.find_items(make_context(engine)))


def test_a_store_with_values_and_no_answer_is_an_item(engine, store_id):
    (item,) = find(engine)

    assert item.headline == "acme: which orders come from the Marketplace is not answered (source 1, 2)"
    assert "cratewire stores set acme --marketplace-source" in item.to_do


@pytest.mark.on_both_databases
def test_an_answer_ends_it_and_a_new_value_begins_another(engine, store_id):
    with writing(engine) as conn:
        answer_sources(conn, store_id, {"2"}, {"1"}, COMMAND_LINE, NOW)
    answered = find(engine)
    with writing(engine) as conn:
        save_samples(conn, store_id, [SourceSample("3", 1, 0, [])], NOW)
    (item,) = find(engine)

    assert answered == []
    assert item.headline == "acme: orders have new origins (source 3)"


def test_a_store_that_forwards_them_all_need_not_answer(engine, store_id):
    with writing(engine) as conn:
        set_marketplace_policy(conn, store_id, "forward", COMMAND_LINE, NOW)

    assert find(engine) == []
