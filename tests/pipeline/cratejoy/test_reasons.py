"""Why a store refuses a request, in its own words, and without e-mail addresses."""

from __future__ import annotations

import pytest

from pipeline.core.errors import RequestRefused
from tests.pipeline.cratejoy.fake_http import answer
from tests.pipeline.cratejoy.fake_http import store as scripted


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"errors": ["Unknown property 'colour'"]}, ": Unknown property 'colour'"),
        (
            {"errors": ["Read-only property 'id'", "Unknown property 'x'"]},
            ": Read-only property 'id'; Unknown property 'x'",
        ),
        ({"errors": ["bea@example.com is taken"]}, ": [address] is taken"),
        (
            {"errors": ["target https://hooks.example.com/hooks/acme/1.s3cret/order_new is odd"]},
            ": target [address] is odd",
        ),
        ({"errors": ["x" * 1_000]}, f": {'x' * 200}"),
        ({"errors": [{"message": "s3cret"}, 7]}, ""),
        ({"errors": "s3cret"}, ""),
        ({"message": "s3cret"}, ""),
        (["s3cret"], ""),
        ("<h1>s3cret</h1>", ""),
        ("", ""),
    ],
)
@pytest.mark.parametrize("status", [400, 405, 422])
def test_a_request_that_is_refused_says_why_in_the_stores_words(status, body, said):
    store, _ = scripted(answer(status, body))

    with pytest.raises(RequestRefused) as caught:
        store.update("hooks", 7, {"colour": "red"})

    assert str(caught.value) == f"PUT hooks/7: answered {status}{said}"


@pytest.mark.parametrize(
    ("property_", "said"), [("colour", "Unknown property 'colour'"), ("id", "Read-only property 'id'")]
)
def test_a_store_that_refuses_a_property_is_quoted(shop, store, property_, said):
    (customer,) = shop.people(1)

    with pytest.raises(RequestRefused, match=said):
        store.update("customers", customer, {property_: 7})
