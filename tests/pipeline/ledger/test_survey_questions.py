"""The names of survey questions: given once, never changed, never shared."""

from __future__ import annotations

from itertools import permutations

import pytest
from sqlalchemy import select

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema.lookups import SurveyQuestion
from pipeline.ledger.survey_questions import assign_slugs
from tests.pipeline.ledger.rows import NOW, add_store


@pytest.fixture
def ask(engine):
    """Name the answers of one survey: field id -> slug, in the order of the slugs."""
    with writing(engine) as conn:
        stores = [add_store(conn, name).id for name in ("acme", "other")]

    def named(*questions, store=0):
        answers = [{"field_id": field, "question": question, "answer": "x"} for field, question in questions]
        with writing(engine) as conn:
            found = assign_slugs(conn, stores[store], answers, NOW)
        return [(answer["field_id"], answer["slug"]) for answer in found]

    return named


def test_a_renamed_question_keeps_its_slug(ask, engine):
    assert ask((11, "Size?")) == [(11, "size")]
    assert ask((11, "T-shirt size")) == [(11, "size")]
    with reading(engine) as conn:
        assert conn.execute(select(SurveyQuestion.question)).scalars().all() == ["T-shirt size"]


def test_two_questions_with_one_slug_do_not_share_it(ask):
    assert ask((11, "Size?")) == [(11, "size")]
    assert ask((12, "Size!"), (11, "Size?"), (13, "size")) == [(11, "size"), (12, "size_2"), (13, "size_3")]


@pytest.mark.parametrize("order", list(permutations([(9, "Size?"), (10, "Size!"), (11, "Scent")])))
def test_the_order_in_a_survey_does_not_matter(ask, order):
    assert ask(*order) == [(9, "size"), (10, "size_2"), (11, "scent")]


def test_each_store_has_its_own_names(ask):
    assert ask((11, "Size?")) == [(11, "size")]
    assert ask((12, "Size!"), store=1) == [(12, "size")]


def test_a_question_without_an_id_is_known_by_its_text(ask):
    assert ask((None, "Size?")) == [(None, "size")]
    assert ask((11, "Size?")) == [(11, "size")]  # the same question, now with its id
    assert ask((None, "Size?")) == [(None, "size")]
    assert ask((12, "Size?")) == [(12, "size_2")]


def test_a_question_of_other_letters_still_has_a_name(ask):
    assert ask((11, "好きな色"), (12, ""), (None, " ")) == [(11, "question"), (12, "question_2")]
