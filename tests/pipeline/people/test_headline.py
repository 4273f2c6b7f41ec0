"""A person in one sentence, from their attributes alone."""

from __future__ import annotations

import pytest

from pipeline.people.headline import describe_person
from tests.builders import NOW

JANUARY = 1_769_770_800  # 2026-01-30 in s
LAST_YEAR = JANUARY - 365 * 86_400

CASES = [
    ({"subscription_status": "active", "subscription_started_at": JANUARY}, "subscriber since 30 January"),
    ({"subscription_status": "active", "subscription_started_at": LAST_YEAR}, "subscriber since 30 January 2025"),
    ({"subscription_status": "active"}, "subscriber"),
    (
        {"subscription_status": "past_due", "subscription_started_at": JANUARY},
        "subscriber since 30 January, with a payment that failed",
    ),
    ({"subscription_status": "paused"}, "subscriber, paused"),
    (
        {"subscription_status": "cancelled", "subscription_cancelled_at": JANUARY},
        "cancelled the subscription on 30 January",
    ),
    ({"subscription_status": "expired", "subscription_ends_at": JANUARY}, "subscriber until 30 January"),
    ({"order_count": 2, "first_order_at": JANUARY}, "customer with 2 orders, the first on 30 January"),
    ({"order_count": 1}, "customer with 1 order"),
    ({"created_at": JANUARY}, "registered"),
    ({"gift_recipient": True, "gift_sender_first_name": "Bea"}, "received a gift from Bea"),
    ({"gift_recipient": True, "created_at": JANUARY}, "received a gift"),
    ({"order_count": 1, "gifts_sent_count": 1}, "customer with 1 order · also gave 1 gift"),
    ({"order_count": 1, "is_test": True}, "customer with 1 order · only seen in test orders"),
    ({}, ""),
]


@pytest.mark.parametrize(("attributes", "words"), CASES)
def test_attributes_say_who_a_person_is(attributes, words):
    parts = describe_person("Mila Šimůnek", "mila@example.com", attributes, NOW)

    assert " · ".join(parts) == " · ".join(filter(None, ("Mila Šimůnek", "mila@example.com", words)))


def test_a_person_without_a_name_begins_with_the_address():
    assert describe_person(None, "mila@example.com", {}, NOW) == ["mila@example.com"]
