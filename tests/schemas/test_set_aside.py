"""Fields that cannot be read: which of them a body is refused for, and which are set aside."""

import pytest

from schemas import InvalidBody, load

NO_PATHS = ()  # nothing must be readable but what identifies a person


def test_a_field_that_cannot_be_read_is_set_aside_with_its_path_and_reason():
    loaded = load("order", {"id": 5, "total": "dear", "products": [{"price": "x"}], "cart": 5.5}, NO_PATHS)

    assert loaded.data == {"id": 5, "products": [{"price": "x"}], "cart": None}
    assert loaded.unreadable == {
        "total": ["is not an amount (3495 or 34.95)"],
        "cart": ["is not an object, an id or a link"],
    }


def test_what_can_be_read_of_a_nested_object_stays():
    loaded = load("fulfillment", {"id": 5, "product_instance": {"id": 6, "price": "x", "product": {"id": 7}}}, NO_PATHS)

    assert loaded.data == {"id": 5, "product_instance": {"id": 6, "product": {"id": 7}}}
    assert list(loaded.unreadable) == ["product_instance.price"]


def test_a_body_without_faults_sets_nothing_aside():
    assert load("order", {"id": 5}, NO_PATHS).unreadable == {}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"customer": {"id": "x"}}, "customer.id"),
        ({"customer": {"email": []}}, "customer.email"),
        ({"customer": 5.5}, "customer"),
        ({"customer": [{"email": {}}]}, "customer.0.email"),
        ({"customer_id": "x"}, "customer_id"),
        ({"order_gift_info": {"gift_recipient_email": {}}}, "order_gift_info.gift_recipient_email"),
        ({"order_gift_info": "junk"}, "order_gift_info"),
        ({"received_gift": {"email": []}}, "received_gift.email"),
    ],
)
def test_what_identifies_a_person_must_be_readable(body, path):
    with pytest.raises(InvalidBody) as refused:
        load("order", body, NO_PATHS)

    assert list(refused.value.errors) == [path]


@pytest.mark.parametrize(
    ("strict", "body"),
    [
        ("id", {"id": "x"}),
        ("end_date", {"end_date": "soon"}),
        ("shipments.id", {"shipments": [{"id": 1}, {"id": "x"}]}),
        ("term.id", {"term": 5.5}),
    ],
)
def test_a_path_that_is_asked_for_must_be_readable(strict, body):
    with pytest.raises(InvalidBody):
        load("subscription", body, (strict,))
    assert load("subscription", body, NO_PATHS).unreadable


def test_without_paths_everything_must_be_readable():
    with pytest.raises(InvalidBody):
        load("order", {"id": 5, "total": "dear"})
