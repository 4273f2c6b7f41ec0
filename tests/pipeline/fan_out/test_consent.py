"""The verdict on a person follows from what is known of them, in whatever order it was learned."""

from __future__ import annotations

import pytest

from pipeline.fan_out.consent import (
    FREE,
    ONLY_REGISTERED,
    RELEASE,
    ConsentRules,
    Verdict,
    collect_evidence,
    find_source,
    judge,
    list_unanswered,
    read_source,
)

ANSWERED = ConsentRules(marketplace_sources=frozenset({"2"}), storefront_sources=frozenset({"1"}))
ONLY_MARKETPLACE = ConsentRules(marketplace_sources=frozenset({"2"}))  # the storefront's orders show no source
UNANSWERED = ConsentRules(met_sources=frozenset({"2"}))
NOTHING_SHOWN = ConsentRules()
MARKETPLACE, UNKNOWN = Verdict("withheld_marketplace"), Verdict("withheld_origin_unknown")
RECIPIENT = Verdict("withheld_gift_recipient")


def verdict(rules, *facts, is_customer=True):
    """`facts`: (kind, subject, source or None)."""
    known = {
        (kind, subject): {"any": [1, True]} | ({} if source is None else {"source": [1, source]})
        for kind, subject, source in facts
    }
    return judge(collect_evidence(known), rules, is_customer=is_customer)


def changed(rules, **settings):
    return ConsentRules(
        **{name: settings.get(name, getattr(rules, name)) for name in ConsentRules.__dataclass_fields__}
    )


SHOP, MARKET = ("order", "1", "1"), ("order", "2", "2")
SHOP_GIFT, MARKET_GIFT = ("gift_received", "order:3", "1"), ("gift_received", "order:4", "2")


@pytest.mark.parametrize(
    ("rules", "facts", "found"),
    [
        (ANSWERED, [MARKET], MARKETPLACE),
        (ANSWERED, [("subscription", "5", "2")], MARKETPLACE),
        (ANSWERED, [SHOP], FREE),
        (ANSWERED, [MARKET, SHOP], FREE),
        (ANSWERED, [("order", "1", "9")], UNKNOWN),
        (ANSWERED, [("order", "1", "9"), MARKET], UNKNOWN),
        (ANSWERED, [], UNKNOWN),
        (ANSWERED, [("order", "1", None)], UNKNOWN),
        (ANSWERED, [("subscription", "5", None)], UNKNOWN),
        (ANSWERED, [("subscription", "5", None), MARKET], MARKETPLACE),
        (ANSWERED, [("checkout", "", "1")], FREE),
        (ANSWERED, [("checkout", "", "2")], MARKETPLACE),
        (ONLY_MARKETPLACE, [("order", "1", None)], FREE),
        (ONLY_MARKETPLACE, [("subscription", "5", None)], UNKNOWN),
        (UNANSWERED, [MARKET], UNKNOWN),
        (UNANSWERED, [("order", "1", None)], FREE),
        (NOTHING_SHOWN, [], FREE),
        (NOTHING_SHOWN, [("order", "1", None), ("subscription", "5", None)], FREE),
    ],
)
def test_a_customer_is_free_once_anything_of_theirs_is_of_the_storefront(rules, facts, found):
    assert verdict(rules, *facts) == found


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ([SHOP_GIFT], FREE),
        ([MARKET_GIFT], MARKETPLACE),
        ([SHOP_GIFT, MARKET_GIFT], FREE),
        ([MARKET_GIFT, ("gift_received", "shipment:7", None)], MARKETPLACE),
        ([SHOP_GIFT, MARKET], FREE),
    ],
)
def test_a_recipient_is_known_from_where_their_gifts_are(facts, found):
    assert verdict(ANSWERED, *facts, is_customer=False) == found


def test_gift_recipients_may_be_withheld_unless_they_are_customers_themselves():
    rules = changed(ANSWERED, gift_recipients="withhold")

    assert verdict(rules, SHOP_GIFT, is_customer=False) == RECIPIENT
    assert verdict(rules, SHOP_GIFT, SHOP) == FREE
    assert verdict(rules, SHOP_GIFT, MARKET) == MARKETPLACE


def test_forwarding_marketplace_customers_leaves_the_other_setting_alone():
    rules = changed(ANSWERED, marketplace_policy="forward", gift_recipients="withhold")

    assert verdict(rules, MARKET) == FREE
    assert verdict(rules, MARKET_GIFT, is_customer=False) == RECIPIENT


def test_without_address_only_those_leave_who_have_a_customer_id():
    rules = changed(ANSWERED, marketplace_policy="profile_without_address")

    assert verdict(rules, MARKET) == Verdict(hides_address=True)
    assert verdict(rules, MARKET_GIFT, is_customer=False) == MARKETPLACE
    assert verdict(rules, ("order", "1", "9")) == UNKNOWN


def test_a_person_whom_a_decision_released_is_free():
    assert verdict(ANSWERED, MARKET, (RELEASE, "", None)) == FREE


def test_a_customer_whom_the_api_lists_without_orders_has_only_registered():
    known = {("customer", ""): {ONLY_REGISTERED: [1, True]}}

    assert judge(collect_evidence(known), ANSWERED, is_customer=True) == FREE


@pytest.mark.parametrize(
    ("model", "source"),
    [
        ({"source": 2}, "2"),
        ({"source": 2.0}, "2"),
        ({"source": " 2 "}, "2"),
        ({"source": ""}, None),
        ({"source": None}, None),
        ({}, None),
        ({"source": True}, "(unreadable)"),
        ({"source": {"id": 2}}, "(unreadable)"),
    ],
    ids=repr,
)
def test_a_source_is_read_as_text(model, source):
    assert read_source(model) == source


def test_a_source_may_stand_in_what_is_embedded():
    assert find_source({"subscriptions": [{"source": None}, {"source": 2}]}) == "2"
    assert find_source({"source": 1, "orders": [{"source": 2}]}) == "1"
    assert find_source({"order": {"source": "m"}}) == "m"


def test_a_source_is_unanswered_once():
    assert list_unanswered({"1", "2", "9"}, ANSWERED) == {"9"}
    assert list_unanswered({"2"}, UNANSWERED) == set()
