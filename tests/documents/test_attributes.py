"""docs/attributes.md lists every attribute a profile can have, with its type, and no other."""

from __future__ import annotations

import re
from typing import Any

from pipeline.events.catalogue import EVENTS
from pipeline.events.identity import identify_event
from pipeline.fan_out.attributes import build_attributes
from pipeline.fan_out.consent import ConsentRules
from pipeline.fan_out.facts import Fact, KnownFacts, merge_fact
from pipeline.fan_out.plan import plan_event
from tests.builders import NOW, customer, gift_order, order, shipment, subscription, transaction
from tests.documents.markdown import parse_tables, read_document

PAGE = "docs/attributes.md"
TYPES = {"text": str, "number": int, "money": int, "time": int, "yes/no": bool}
ADDRESS = {"state": "TX", "city": "Austin", "phone_number": "555 0100"}
LATER = "2026-09-15T00:00:00Z"

# Two lives: one whose subscription runs and fails to be paid, one whose subscription has ended.
RUNNING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("customer_new", customer(addresses=[ADDRESS], accepts_marketing=True)),
    ("order_new", gift_order()),
    ("subscription_renewed", subscription(product_instance={"id": 64, "variants": [{"name": "Size", "value": "M"}]})),
    ("subscription_renew_failed", subscription(end_date=LATER)),
    ("transaction_new", transaction(result="failed")),
    ("shipment_shipped", shipment(tracking_link="https://example.com/t/1")),
)
ENDED = (("order_new", order()), ("subscription_cancelled", subscription(status="cancelled")))


# what the names of attributes begin with -> how the page writes them
FAMILIES = {"survey_": "survey_<question>", "variant_": "variant_<type>"}


def profiles() -> list[dict[str, Any]]:
    """What the people of both lives look like, gift recipients too, under the names that the page has."""
    return [
        {written(name): value for name, value in profile.items()}
        for life in (RUNNING, ENDED)
        for profile in lived(life)
    ]


def written(name: str) -> str:
    return next((written for start, written in FAMILIES.items() if name.startswith(start)), name)


def lived(life) -> list[dict[str, Any]]:
    known: dict[str, KnownFacts] = {"customer": {}, "gift_recipient": {}}
    for event, body in life:
        row = EVENTS[event]
        plan = plan_event(row, body, identify_event(row, body, "f" * 64, NOW), {}, "acme", "USD")
        for person in plan.people:
            for fact in person.facts:
                merge_fact(known[person.role], fact, NOW)
    merge_fact(known["customer"], Fact("survey", "7021", {"size": "M"}), NOW)  # no hook has one
    return [build_attributes(facts, "acme", "USD", ConsentRules("forward")) for facts in known.values()]


def documented() -> dict[str, str]:
    return {row[0].strip("`"): row[1] for row in parse_tables(read_document(PAGE))[0]}


def test_the_page_lists_every_attribute_and_no_other():
    assert set(documented()) == {name for profile in profiles() for name in profile}


def test_every_attribute_has_the_type_the_page_says():
    types = documented()
    wrong = {n: v for profile in profiles() for n, v in profile.items() if type(v) is not TYPES[types[n]]}

    assert wrong == {}


def test_the_page_names_only_events_that_exist():
    named = {name for row in parse_tables(read_document(PAGE))[0] for name in re.findall(r"`(\w+)`", row[3])}

    assert named <= EVENTS.keys()
