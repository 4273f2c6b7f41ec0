from __future__ import annotations

import pytest

from pipeline.fulfilment.rules.gifts import MAX_MESSAGE_CHARACTERS, clean_message
from tests.pipeline.fulfilment.rules.boxes import body, build, item, order


def gift(message=None, email=None, **changes):
    info = {"gift_message": message, "gift_recipient_email": email}
    return body(fulfillments=[item(order=order(is_gift=True, order_gift_info=info, **changes))])


@pytest.mark.parametrize(
    ("sent", "cleaned"),
    [
        ("  Enjoy the tea!\n", "Enjoy the tea!"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a\n\n\n\nb", "a\n\nb"),
        ("a\tb\x00\x07c", "a bc"),
        ("\u202eevil\u202c\ufeff", "evil"),
        ("👩\u200d👧 ❤\ufe0f", "👩\u200d👧 ❤\ufe0f"),
        ("\x1b[31m", "[31m"),
        ("", ""),
    ],
)
def test_a_message_is_cleaned(sent, cleaned):
    assert clean_message(sent) == cleaned


def test_a_long_message_is_cut_for_the_parcel_and_kept_whole_beside_it():
    built = build(gift("x" * 501))

    assert built.gift_message == "x" * (MAX_MESSAGE_CHARACTERS - 1) + "…"
    assert built.uncut_gift_message == "x" * 501
    assert build(gift("x" * 500)).gift_message == "x" * 500
    assert build(gift("x" * 500)).uncut_gift_message == ""


def test_the_messages_of_two_orders_are_both_written_and_equal_ones_once():
    def with_messages(*messages):
        return body(
            fulfillments=[
                item(id=number, order=order(id=number, is_gift=True, order_gift_info={"gift_message": message}))
                for number, message in enumerate(messages, start=1)
            ]
        )

    assert build(with_messages("One", "Two")).gift_message == "One\nTwo"
    assert build(with_messages("One", "One")).gift_message == "One"


def test_a_message_without_a_gift_is_not_printed():
    built = build(body(fulfillments=[item(order=order(gift_message="Hello"))]))

    assert (built.is_gift, built.gift_message) == (False, "")


@pytest.mark.parametrize(
    "sent",
    [
        body(is_gift=True),
        gift(),
        body(fulfillments=[item(instance={"id": 1, "sku": "BOX", "gift": True})]),
    ],
)
def test_a_gift_is_known_from_the_shipment_the_order_or_the_item(sent):
    assert build(sent).is_gift


@pytest.mark.parametrize(
    ("email", "on_parcel"),
    [("ann@example.net", "ann@example.net"), (None, ""), ("buyer@example.com", ""), ("Buyer@Example.com ", "")],
)
def test_a_gift_goes_with_the_recipients_address_or_with_none(email, on_parcel):
    made = build(gift("Hi", email))

    assert made.ship_to.email == on_parcel
    assert made.bill_to_email == "buyer@example.com"


def test_a_box_for_oneself_has_the_buyers_address():
    assert build(body()).ship_to.email == "buyer@example.com"


def test_a_box_that_several_customers_pay_for_names_none_of_them():
    other = order(id=2, customer={"id": 2, "email": "other@example.com"})

    made = build(body(customer_id=60000001, fulfillments=[item(), item(id=2, order=other)]))

    assert (made.bill_to_email, made.ship_to.email, made.customer_id) == ("", "", 60000001)
