"""A sample of an event names no one."""

from __future__ import annotations

import json

import pytest

from pipeline.redaction.sample import FIRST_ID, replace_personal_details
from tests.builders import customer, gift_order, shipment, subscription

EVENTS = {"customer": customer(), "gift": gift_order(), "subscription": subscription(), "shipment": shipment()}


@pytest.mark.parametrize("name", EVENTS)
def test_no_name_address_or_id_of_an_event_is_left(name):
    data = EVENTS[name]
    text = json.dumps(replace_personal_details(data))
    known = {str(value) for value in _strings(data) if "@" in str(value)}

    assert [value for value in known if value in text] == []
    assert "Bea" not in text
    assert "Rory" not in text


def _strings(value):
    if isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize(
    ("value", "replaced"),
    [
        ({"status": "active", "total": 3495, "test": False, "at": "2026-03-02T17:04:31Z"}, None),
        ({"product": {"name": "Tea & Toast Box", "sku": "TT-1"}}, None),
        ({"status": "Mila said so"}, {"status": "sample text"}),
        ({"gift_message": "Dear Mila"}, {"gift_message": "sample text"}),
        ({"customer": {"id": 5, "email": "a@b.c"}}, {"customer": {"id": FIRST_ID, "email": "person1@example.com"}}),
        ({"id": 5, "customer_id": "5", "nr": [9]}, {"id": FIRST_ID, "customer_id": str(FIRST_ID), "nr": [9]}),
        ({"a": "x@y.z", "b": ["x@y.z"]}, {"a": "person1@example.com", "b": ["person1@example.com"]}),
        ({"phone": 5551234, "latitude": 1.5}, {"phone": 0, "latitude": 0}),
        ({"mila@example.com": 1}, {"key_1": 1}),
        ({"date_of_birth": "1990-01-01"}, {"date_of_birth": "2000-01-01"}),
        ({"first_name": "", "last_name": None}, None),
    ],
)
def test_what_may_stay_stays_and_everything_else_is_replaced(value, replaced):
    assert replace_personal_details(value) == (value if replaced is None else replaced)
