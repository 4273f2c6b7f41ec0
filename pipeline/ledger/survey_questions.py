"""The names under which a store's survey questions become attributes. Works inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy import Connection, insert, select, update

from pipeline.fan_out.slugs import build_slug
from pipeline.ledger.schema.lookups import SurveyQuestion

NO_NAME = "question"  # of a question without a Latin letter or digit


@dataclass(slots=True)
class _Known:
    field: str | None
    question: str


def assign_slugs(
    conn: Connection, store_id: int, answers: Iterable[Mapping[str, Any]], now: int
) -> list[dict[str, Any]]:
    """The answers, each with the slug of its question; those that name no question are left out.

    The question's id decides, so that a renamed question keeps its slug. Where an answer has no id (the API's v1.1),
    the question's text does. Two questions never share a slug: the one that is met later, or in the same survey has the
    larger id, gets a number. The caller has locked the store.
    """
    query = select(SurveyQuestion.__table__).where(SurveyQuestion.store_id == store_id)
    rows = conn.execute(query.order_by(SurveyQuestion.created_at, SurveyQuestion.slug))
    known = {row.slug: _Known(row.field, row.question) for row in rows}
    named = []
    for answer in sorted(answers, key=_sort_key):
        field, question = _get_field(answer), (answer.get("question") or "").strip()
        if field is None and not question:
            continue
        slug = _find(known, field, question)
        if slug is None:
            slug = _choose(known, build_slug(question) or NO_NAME)
            known[slug] = _Known(field, question)
            values = {"slug": slug, "field": field, "question": question, "created_at": now}
            conn.execute(insert(SurveyQuestion).values(store_id=store_id, **values))
        elif (changed := _Known(known[slug].field or field, question or known[slug].question)) != known[slug]:
            known[slug] = changed
            row = update(SurveyQuestion).where(SurveyQuestion.store_id == store_id, SurveyQuestion.slug == slug)
            conn.execute(row.values(field=changed.field, question=changed.question))
        named.append({**answer, "slug": slug})
    return named


def _find(known: Mapping[str, _Known], field: str | None, question: str) -> str | None:
    """The slug of a question that was met before: by its id, or by its text while one of the two ids is unknown."""
    by_field = (slug for slug, row in known.items() if field is not None and row.field == field)
    same_text = (slug for slug, row in known.items() if question and row.question == question)
    by_text = (slug for slug in same_text if field is None or known[slug].field is None)
    return next(by_field, None) or next(by_text, None)


def _choose(known: Mapping[str, _Known], slug: str) -> str:
    if slug not in known:
        return slug
    return next(name for number in count(2) if (name := f"{slug}_{number}") not in known)


def _get_field(answer: Mapping[str, Any]) -> str | None:
    field = answer.get("field_id")
    return str(field) if isinstance(field, int | str) and str(field) else None


def _sort_key(answer: Mapping[str, Any]) -> tuple[bool, str, str]:
    """By the question's id, so that the order in a survey does not matter; without an id, by its text."""
    field = _get_field(answer)
    return field is None, (field or "").zfill(20), answer.get("question") or ""
