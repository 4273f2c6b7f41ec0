"""The requests of look-ups: one each, and what is to be recorded of the answer.

A gift's recipient is searched for along its order, its subscription and that one's first order, one request at a time:
a search goes on where it stopped, however little the store's budget allows at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pipeline.backfill.run import PageReader
from pipeline.core.errors import NotFound
from pipeline.fan_out.boxes import read_variants
from pipeline.fan_out.customers import get_fulfillments
from pipeline.fan_out.surveys import MAX_ANSWERS
from pipeline.ledger.lookups import LookupRow, Subject
from pipeline.recording.lookups import SURVEY, VARIANTS

MAX_SUBJECTS = 8  # of one search: an order has few subscriptions
RESOURCES = {"order": "orders", "subscription": "subscriptions", "shipment": "shipments"}
_RELATIONS: Mapping[str, tuple[str, ...]] = {
    "order": ("customer", "subscriptions"),
    "subscription": ("customer", "term", "product", "instance", "subscription_gift_info", "orders"),
    "shipment": ("customer", "fulfillments", "subscriptions"),
}


class LookupAPI(PageReader, Protocol):
    """The part of a store's API that look-ups use."""

    def get(self, resource: str, id: int, with_: Sequence[str] = ()) -> dict[str, Any]: ...  # noqa: A002


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request has shown: objects of one resource, and for a gift where to search next."""

    resource: str
    objects: list[dict[str, Any]] = field(default_factory=list)
    found: bool = False
    trail: dict[str, Any] = field(default_factory=dict)


def ask(api: LookupAPI, row: LookupRow) -> Answer:
    """Send one request for a look-up. Raises what the client does, except NotFound: then there is nothing to find."""
    return _ASK.get(row.kind, _ask_next_of_gift)(api, row)


def read_subjects(subjects: object) -> list[Subject]:
    """Subjects of a stored trail."""
    return [(str(kind), int(number)) for kind, number in subjects] if isinstance(subjects, list) else []


def read_trail(trail: Mapping[str, Any]) -> list[Subject]:
    """All that a search has asked about and still will."""
    return [*read_subjects(trail.get("asked")), *read_subjects(trail.get("next"))]


def _ask_survey(api: LookupAPI, row: LookupRow) -> Answer:
    """All surveys of the subscription. An API that ignores our filter shows those of others, which are left out."""
    page = api.page("product_survey_results", {"subscription_id": str(row.subject_id)})
    own = [survey for survey in page.results if survey.get("subscription_id") in (None, row.subject_id)]
    answers = [answer for survey in own for answer in survey.get("answers") or () if isinstance(answer, dict)]
    survey = {"subscription_id": row.subject_id, "answers": answers[:MAX_ANSWERS]}
    return Answer("product_survey_results", [survey] if answers else [], found=bool(answers))


def _ask_variants(api: LookupAPI, row: LookupRow) -> Answer:
    """The product instance, if the hook named it; else the subscription, which has it or names it."""
    try:
        if row.about is not None:
            instance = api.get("product_instances", row.about)
        else:
            instance = api.get("subscriptions", row.subject_id, ("customer", "instance")).get("product_instance") or {}
    except NotFound:
        return Answer("subscriptions")
    if read_variants(instance) is None:
        named = instance.get("id") if row.about is None else None
        return Answer("subscriptions", trail={"about": named})
    return Answer("subscriptions", [{"id": row.subject_id, "product_instance": instance}], found=True)


def _ask_next_of_gift(api: LookupAPI, row: LookupRow) -> Answer:
    """The next object on the way to the recipient's address, and which further ones it names."""
    asked, ahead = read_subjects(row.trail.get("asked")), read_subjects(row.trail.get("next"))
    (kind, number), rest = ahead[0], ahead[1:]
    try:
        found = [api.get(RESOURCES[kind], number, _RELATIONS[kind])]
    except NotFound:
        found = []
    known = {*asked, *ahead}
    named = [subject for one in found for subject in _find_further(kind, one) if subject not in known]
    asked.append((kind, number))
    following = [*rest, *dict.fromkeys(named)][: MAX_SUBJECTS - len(asked)]
    return Answer(RESOURCES[kind], found, trail={"asked": asked, "next": following})


def _find_further(kind: str, shown: Mapping[str, Any]) -> Iterator[Subject]:
    """Subscriptions before orders: a gift's subscription has its own record of the recipient."""
    own = shown.get("subscriptions") or ()
    numbers = [item.get("subscription_id") for item in get_fulfillments(shown)] if kind == "shipment" else []
    for number in (*numbers, *(item.get("id") for item in own if isinstance(item, dict))):
        if isinstance(number, int):
            yield "subscription", number
    orders = [order for order in shown.get("orders") or () if isinstance(order, dict)]
    first = min(orders, key=lambda order: (order.get("placed_at") or "", order.get("id") or 0), default={})
    boxed = [item["order"] for item in get_fulfillments(shown) if isinstance(item.get("order"), dict)]
    for order in (first, *(boxed if kind == "shipment" else ())):
        if isinstance(order.get("id"), int):
            yield "order", order["id"]


_ASK = {SURVEY: _ask_survey, VARIANTS: _ask_variants}
