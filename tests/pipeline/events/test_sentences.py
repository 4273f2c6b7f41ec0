"""The sentence of each event: of every captured body, and of every case of a gift."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.events.catalogue import EVENTS
from pipeline.events.sentence_parts import MAX_PART_CHARS, NamedPerson, Part, SentenceSource
from pipeline.events.sentences import build_sentence, join_parts
from schemas import load
from tests import builders
from tests.schemas.samples import NAMES, sample, schema_of

BUYER, RECIPIENT = NamedPerson(1, "Maren Quill"), NamedPerson(2, "Tobias Lund")


def write(event: str, data: dict[str, Any], **more: Any) -> str:
    fields = {"buyer": BUYER, "format_money": lambda cents: f"USD {cents / 100:.2f}"} | more
    return join_parts(build_sentence(SentenceSource(event, data, **fields)))


SENTENCES = {
    "address_updated__addresses": "Maren Quill changed an address",
    "billing_updated__addresses": "Maren Quill changed the payment method",
    "checkout_failed__order_with_customer": "Maren Quill could not check out, USD 29.90",
    "checkout_failed__wrapped": "Maren Quill could not check out, USD 29.90",
    "customer_new__full": "Maren Quill joined",
    "customer_new__short": "Maren Quill joined",
    "design_updated__file": "The shop's theme lantern was changed: html/box.html",
    "inventory_updated__bare": "Stock of product 6924109501 changed, now 41",
    "inventory_updated__wrapped": "Stock of Lantern Box changed, now 41",
    "order_new__gift": "Maren Quill placed order 7118352615 as a gift for Tobias Lund, USD 29.90",
    "order_new__not_a_gift": "Maren Quill placed order 7118352615, USD 29.90",
    "order_new__with_subscription": "Maren Quill placed order 7118352615, USD 29.90",
    "order_updated__redeemed_gift": (
        "Maren Quill's redeemed gift changed: order 7118352671 (now closed, paid, fulfilled)"
    ),
    "shipment_address_updated__epoch_milliseconds": "A box for Maren Quill has a new address",
    "shipment_cancelled__links": "A box for Maren Quill was cancelled",
    "shipment_shipped__embedded": (
        "Lantern Box is on its way to Tobias Lund, a gift from Maren Quill, tracking 9400111899560000000042"
    ),
    "shipment_shipped__epoch_milliseconds": "A box is on its way to Maren Quill, tracking 9400111899560000000042",
    "shipment_shipped__links": "A box is on its way to Maren Quill, tracking 9400111899560000000042",
    "subscription_cancelled__boxes_left": "Maren Quill cancelled subscription 7115220421, paid until 1 May 2026",
    "subscription_new__gift": "Maren Quill gave Tobias Lund a gift: Lantern Box (Month to Month)",
    "subscription_renew_failed__past_due": "Maren Quill's payment for subscription 7115220421 failed",
    "subscription_renewed__monthly": "Maren Quill renewed Lantern Box (Month to Month)",
    "subscription_updated__instance": "Maren Quill changed Lantern Box (Month to Month)",
    "transaction_new__nested": "Maren Quill paid USD 29.90 for order 7118352615",
    "transaction_new__side_by_side": "Maren Quill paid USD 29.90 for order 7118352615",
}
GIFTS = ("order_new__gift", "shipment_shipped__embedded", "subscription_new__gift")


def test_every_captured_body_has_its_sentence_here():
    assert sorted(SENTENCES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_captured_body_becomes_its_sentence(name):
    data = load(schema_of(name), sample(name)).data
    recipient = RECIPIENT if name in GIFTS else None

    assert write(name.partition("__")[0], data, recipient=recipient, is_gift=recipient is not None) == SENTENCES[name]


@pytest.mark.parametrize(
    ("event", "data", "sentence"),
    [
        ("order_new", builders.gift_order(), "Maren Quill placed order 7015 as a gift for Tobias Lund, USD 34.95"),
        (
            "order_updated",
            builders.gift_order(),
            "Maren Quill's gift for Tobias Lund changed: order 7015 (now open, paid)",
        ),
        (
            "order_updated",
            builders.gift_order(status="cancelled"),
            "Maren Quill's gift for Tobias Lund was cancelled: order 7015",
        ),
        (
            "shipment_shipped",
            builders.shipment(),
            "Box 1 of 3 is on its way to Tobias Lund, a gift from Maren Quill, tracking 9400100",
        ),
        (
            "shipment_cancelled",
            builders.shipment(),
            "Box 1 of 3 for Tobias Lund was cancelled, a gift from Maren Quill",
        ),
        (
            "shipment_address_updated",
            builders.shipment(),
            "Box 1 of 3 for Tobias Lund has a new address, a gift from Maren Quill",
        ),
        (
            "subscription_new",
            builders.subscription(),
            "Maren Quill gave Tobias Lund a gift: Sample Box (Month to Month)",
        ),
        (
            "subscription_renewed",
            builders.subscription(),
            "Maren Quill renewed the gift for Tobias Lund: Sample Box (Month to Month)",
        ),
        (
            "subscription_renew_failed",
            builders.subscription(),
            "Maren Quill's payment for the gift for Tobias Lund failed: Sample Box",
        ),
        (
            "subscription_cancelled",
            builders.subscription(),
            "Maren Quill cancelled the gift for Tobias Lund: Sample Box, paid until 15 April 2026",
        ),
        (
            "subscription_updated",
            builders.subscription(),
            "Maren Quill changed the gift for Tobias Lund: Sample Box (Month to Month)",
        ),
    ],
)
def test_a_gift_names_giver_and_recipient(event, data, sentence):
    assert write(event, data, recipient=RECIPIENT, is_gift=True) == sentence


def test_every_event_that_a_gift_recipient_gets_has_a_wording_for_it():
    for row in EVENTS.values():
        if row.gift_copy:
            data = builders.gift_order() if row.subject == "order" else {"id": 1}
            assert "Tobias Lund" in write(row.name, data, recipient=RECIPIENT, is_gift=True), row.name


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        ("order_new", "Maren Quill placed an order as a gift, without a usable address"),
        ("subscription_new", "Maren Quill gave a subscription as a gift, without a usable address"),
        ("shipment_shipped", "A box is on its way, a gift from Maren Quill"),
    ],
)
def test_a_gift_without_a_known_recipient_says_so(event, sentence):
    assert write(event, {}, is_gift=True) == sentence


def test_a_gift_to_the_buyers_own_address_says_so():
    sentence = write("order_new", builders.gift_order(), recipient=BUYER, is_gift=True)

    assert sentence == "Maren Quill placed order 7015 as a gift to themselves, USD 34.95"


def test_an_order_that_redeems_a_gift_is_the_recipients():
    order = builders.order(received_gift={"email": "tobias@example.net"})

    assert write("order_new", order) == "Maren Quill redeemed a gift: order 7015"


def test_an_order_names_its_first_product_and_counts_the_others():
    order = builders.order(products=[{"name": "Tea Box"}, {"product": {"name": "Mug"}}, {"name": "Tea Box"}])

    assert write("order_new", order) == "Maren Quill ordered Tea Box and 1 more, USD 34.95"


def test_a_renewals_order_is_a_charge():
    assert write("order_new", builders.order(is_renewal=True)) == (
        "Maren Quill was charged for a renewal: order 7015, USD 34.95"
    )


def test_a_cancelled_order_says_so():
    assert write("order_updated", builders.order(status="cancelled")) == "Maren Quill's order 7015 was cancelled"


def test_a_box_of_several_says_which_it_is():
    box = {"cycle_number": 1, "total_cycles": 3, "product_instance": {"product": {"name": "Tea Box"}}}

    assert write("shipment_cancelled", {"fulfillments": [box]}) == "Tea Box (box 2 of 3) for Maren Quill was cancelled"


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        ("captured", "Maren Quill paid USD 34.95 for order 7015"),
        ("authorized", "Maren Quill's payment of USD 34.95 was authorised for order 7015"),
        ("failed", "Maren Quill's payment of USD 34.95 failed for order 7015"),
        ("refunded", "Maren Quill was refunded USD 34.95 for order 7015"),
        ("failed_refund", "The refund of USD 34.95 to Maren Quill failed for order 7015"),
        ("held", "Maren Quill: a transaction of USD 34.95 for order 7015"),
    ],
)
def test_a_transaction_says_what_became_of_the_money(result, sentence):
    assert write("transaction_new", builders.transaction(result=result)) == sentence


@pytest.mark.parametrize("event", [*EVENTS, "box_opened"])
def test_an_empty_body_still_makes_a_sentence(event):
    sentence = write(event, {}, buyer=None)

    assert sentence.strip() == sentence
    assert "None" not in sentence


def test_an_unknown_event_is_named():
    assert write("box_opened", {}) == "An event that Cratewire does not know: box_opened"


def test_a_test_order_begins_with_test():
    assert write("customer_new", {}, is_test=True) == "Test: Maren Quill joined"


def test_a_person_without_a_name_is_a_customer_with_a_link():
    source = SentenceSource("customer_new", {}, str, buyer=NamedPerson(7, None))

    assert build_sentence(source) == (Part("A customer", "person", 7), Part(" joined"))


def test_orders_boxes_and_people_can_be_linked():
    source = SentenceSource("order_new", builders.order(), str, buyer=BUYER)

    assert build_sentence(source) == (
        Part("Maren Quill", "person", 1),
        Part(" "),
        Part("placed "),
        Part("order 7015", "order", 7015),
        Part(", 3495"),
    )


def test_a_long_name_is_cut():
    source = SentenceSource("customer_new", {}, str, buyer=NamedPerson(1, "x" * 500))

    assert build_sentence(source)[0].text == "x" * (MAX_PART_CHARS - 1) + "…"
