"""Which keys stay, which get another name, which are set aside."""

import json

import pytest

from schemas import InvalidBody, load


def test_missing_stays_missing_and_null_stays_null():
    """Code that merges bodies must distinguish an absent key from an empty value."""
    assert load("customer", {"last_name": None}).data == {"last_name": None}


def test_unknown_keys_are_set_aside_under_their_path():
    body = {"foo": 1, "fulfillments": [{"bar": {"a": [1]}}], "customer": [{"baz": None}]}

    loaded = load("shipment", body)

    assert loaded.unknown == {"foo": 1, "fulfillments.0.bar": {"a": [1]}, "customer.0.baz": None}
    assert loaded.data == {"fulfillments": [{}], "customer": {}}


def test_unknown_keys_and_values_are_json_safe():
    unknown = load("customer", {"a\0\ud800": {"b\0": ["\0c", float("nan")]}}).unknown

    assert unknown == {"a\ufffd": {"b": ["c", None]}}


def test_an_unknown_value_no_json_has_is_refused_without_its_key():
    with pytest.raises(InvalidBody) as refused:
        load("customer", {"person@example.org": {1, 2}})

    assert refused.value.errors == {"": ["is not a JSON value"]}


@pytest.mark.parametrize("name", ["subscription", "fulfillment"])
@pytest.mark.parametrize(
    "body",
    [
        {"instance": {"id": 5}},
        {"product_instance": {"id": 5}},
        {"product_instance": None, "instance": {"id": 5}},
        {"instance": {"id": 5}, "product_instance": None},
        {"instance": None, "product_instance": {"id": 5}},
        {"instance": {"id": 6}, "product_instance": {"id": 5}},
    ],
)
def test_an_instance_has_one_name(name, body):
    assert load(name, body).data == {"product_instance": {"id": 5}}


@pytest.mark.parametrize(
    "body",
    [
        {"subscription": {"id": 5}},
        {"subscriptions": [{"id": 5}]},
        {"subscriptions": [], "subscription": {"id": 5}},
        {"subscriptions": [{"id": 5}], "subscription": None},
    ],
)
def test_an_orders_subscription_is_a_list(body):
    assert load("order", body).data == {"subscriptions": [{"id": 5}]}


@pytest.mark.parametrize("key", ["transaction_fee", "transaction_fes", "transaction_fees"])
def test_the_transaction_fee_under_each_spelling(key):
    assert load("order", {key: 30}).data == {"transaction_fee": 30}


@pytest.mark.parametrize(
    ("name", "body", "data"),
    [
        ("batch", {"end_date": "2026-04-11"}, {"end": "2026-04-11T00:00:00Z"}),
        ("term", {"image": []}, {"images": []}),
        ("product", {"ruletypes": [1], "giftinstances": []}, {"rule_types": [1], "gift_instances": []}),
    ],
)
def test_names_that_drifted(name, body, data):
    assert load(name, body).data == data


@pytest.mark.parametrize("keys", [{"gift_message": "Hi"}, {"id": 5}, {"gift_recipient_name": "Tobias"}])
def test_gift_info_in_part(keys):
    assert load("order", {"order_gift_info": keys}).data == {"order_gift_info": keys}


def test_a_fulfillment_carries_both_test_marks():
    assert load("fulfillment", {"is_test": True, "test": "True"}).data == {"is_test": True, "test": True}


@pytest.mark.parametrize("sent", [1, "flat", None, {"a": 1}])
def test_a_field_of_unknown_type_passes_as_it_is(sent):
    assert load("product", {"ship_option": sent}).data == {"ship_option": sent}


def test_an_unknown_event_passes_as_it_is():
    body = {"a": [1, 2.5, True, None, {"b": "  text "}], "links": 1}

    loaded = load("any", body)

    assert (loaded.data, loaded.unknown) == (body, {})


def test_an_unknown_event_is_json_safe():
    assert load("any", {"a\0": float("inf"), "b": "\ud800"}).data == {"a": None, "b": "\ufffd"}


@pytest.mark.parametrize("name", ["any", "customer"])
def test_64_levels_pass(name):
    assert load(name, json.loads('{"a":' * 64 + "1" + "}" * 64))


@pytest.mark.parametrize(
    "body",
    [
        json.loads('{"a":' * 80 + "1" + "}" * 80),
        json.loads('{"customer":{"orders":' * 40 + "1" + "}}" * 40),
        json.loads('{"cart":{"a":' + '{"a":' * 80 + "1" + "}" * 80 + "}}"),
    ],
)
def test_a_body_nested_too_deeply_is_refused(body):
    with pytest.raises(InvalidBody, match="is nested too deeply"):
        load("order", body)
