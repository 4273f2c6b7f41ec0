"""Several boxes behind one customer, e-mail address and subscription: each has the address of its own shipment."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.fulfilment.rules.order import Numbering
from tests.pipeline.fulfilment.rules.boxes import address, body, build, hold, item, order

_WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)
_PLACES = st.fixed_dictionaries(
    {
        "to": _WORDS,
        "street": _WORDS,
        "unit": st.none() | st.just("") | _WORDS,
        "city": _WORDS,
        "zip_code": st.from_regex(r"[0-9]{5}", fullmatch=True),
        "state": st.sampled_from(["TX", "NY"]),
        "company": st.none() | _WORDS,
        "phone_number": st.none() | _WORDS,
    }
)
_GIFTS = st.none() | st.fixed_dictionaries(
    {
        "gift_message": st.none() | _WORDS,
        "gift_recipient_email": st.none() | st.just("buyer@example.com") | _WORDS.map("{}@example.net".format),
    }
)


@settings(max_examples=60)
@given(boxes=st.lists(st.tuples(_PLACES, _GIFTS), min_size=2, max_size=5))
def test_no_box_has_anything_of_another_boxs_address(boxes):
    customer = {"id": 60000001, "name": "Example Buyer", "email": "buyer@example.com", "addresses": []}
    customer["addresses"] = [address(**place) for place, _ in boxes]

    built = [
        build(
            body(
                id=90000001 + number,
                customer=customer,
                ship_address=address(**place),
                fulfillments=[item(order=order(customer=customer, is_gift=bool(gift), order_gift_info=gift))],
            ),
            numbering=Numbering(f"SUB-{90000001 + number}", "subscription"),
        )
        for number, (place, gift) in enumerate(boxes)
    ]

    for made, (place, _) in zip(built, boxes, strict=True):
        to = made.ship_to
        assert (to.name, to.address1, to.address2) == (place["to"], place["street"], place["unit"] or "")
        assert (to.city, to.state, to.zip) == (place["city"], place["state"], place["zip_code"])
        assert (to.company, to.phone) == (place["company"] or "", place["phone_number"] or "")


@settings(max_examples=60)
@given(boxes=st.lists(st.tuples(_PLACES, _GIFTS.filter(bool)), min_size=1, max_size=3))
def test_nothing_of_the_buyer_is_on_the_parcel_of_a_gift(boxes):
    for place, gift in boxes:
        made = build(
            body(
                ship_address=address(**place),
                fulfillments=[item(order=order(is_gift=True, order_gift_info=gift))],
            )
        )

        assert made.is_gift
        assert "buyer@example.com" not in (made.ship_to.email, made.gift_message, made.ship_to.name)
        assert {line.unit_price for line in made.lines} == {0}


def test_a_box_without_an_address_of_its_own_gets_no_other():
    customer = {"id": 60000001, "email": "buyer@example.com", "addresses": [address()]}

    held = hold(body(ship_address=None, customer=customer, fulfillments=[item(order=order(customer=customer))]))

    assert (held.reason, held.fields) == ("invalid_address", ("ship_address",))
