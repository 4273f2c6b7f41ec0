"""Answers to a store's surveys: how each is shown, and which of them a profile has.

A survey belongs to a subscription (seen in a client of the live API), so its answers are facts about the customer of
the subscription. Each answer carries the slug that its question has for good in this store.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pipeline.fan_out.slugs import cut_value

MAX_ANSWERS = 50  # of one survey, and of one person
CHECK_BOXES = ("0", "4", "checkbox", "checkboxes", "check_box", "check_boxes")  # v1 writes numbers, v1.1 words
DATES = ("5", "date")
_SEPARATOR, _DATE_FORMAT = "|", "%m/%d/%Y"

Fields = Mapping[str, Any]


def read_answers(survey: Mapping[str, Any]) -> dict[str, str]:
    """The answers by the slug of their question, as a profile shows them. Empty answers say nothing."""
    shown = ((answer.get("slug"), format_answer(answer)) for answer in survey.get("answers") or ())
    return {slug: text for slug, text in shown if slug and text}


def format_answer(answer: Mapping[str, Any]) -> str | None:
    """An answer as text: choices joined by commas, a date as 1988-02-29; None if it is empty.

    A "|" in text that a person typed stays, and so does a date that the calendar does not have.
    """
    value = answer.get("answer")
    if isinstance(value, list):
        value = _SEPARATOR.join(str(choice) for choice in value)
    if value is None or isinstance(value, dict):
        return None
    text, kind = _format_scalar(value), str(answer.get("type")).lower()
    if kind in CHECK_BOXES or isinstance(answer.get("answer"), list):
        text = ", ".join(choice for part in text.split(_SEPARATOR) if (choice := part.strip()))
    elif kind in DATES:
        text = _format_date(text)
    return cut_value(text) or None


def choose_answers(surveys: Mapping[str, Fields], subscriptions: Mapping[str, Fields]) -> dict[str, str]:
    """The answers that a profile has, at most 50; both arguments by subscription.

    The newest active subscription comes first: its answer to a question counts, and none of its answers is left out for
    that of another.
    """
    chosen: dict[str, str] = {}
    for subject in sorted(surveys, key=lambda name: _rank(name, subscriptions.get(name, {})), reverse=True):
        for slug in sorted(surveys[subject].keys() - chosen.keys()):
            if len(chosen) < MAX_ANSWERS and not slug.startswith("listed:"):
                chosen[slug] = surveys[subject][slug]
    return chosen


def _rank(subject: str, subscription: Fields) -> tuple[bool, str, str]:
    is_active = subscription.get("status") in ("active", "renewing", "pending_renewal")
    return is_active, subscription.get("start_date") or "", subject.zfill(20)


def _format_scalar(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value).strip()


def _format_date(text: str) -> str:
    try:
        return datetime.strptime(text, _DATE_FORMAT).date().isoformat()  # noqa: DTZ007 a date has no time zone
    except ValueError:
        return text
