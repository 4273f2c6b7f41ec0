"""Every documented or captured shape of a hook's body."""

import json

import pytest

from schemas import load
from tests.schemas.samples import NAMES, SCHEMA_OF, sample, schema_of


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_loads_without_unknown_keys(name):
    assert load(schema_of(name), sample(name)).unknown == {}


@pytest.mark.parametrize("name", NAMES)
def test_loading_what_was_loaded_changes_nothing(name):
    data = load(schema_of(name), sample(name)).data

    assert load(schema_of(name), data).data == data


@pytest.mark.parametrize("name", NAMES)
def test_every_loaded_sample_survives_json(name):
    data = load(schema_of(name), sample(name)).data

    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_all_17_events_have_a_sample():
    assert {name.partition("__")[0] for name in NAMES} == set(SCHEMA_OF)


def test_a_shipment_in_epoch_milliseconds_has_the_times_of_one_in_text():
    numbers = load("shipment", sample("shipment_shipped__epoch_milliseconds")).data
    texts = load("shipment", sample("shipment_shipped__embedded")).data

    times = ("adjusted_ordered_at", "created_at", "shipped_at", "target_at")
    assert [numbers[key] for key in times] == [texts[key] for key in times]


def test_a_shipment_of_links_keeps_where_its_parts_are():
    data = load("shipment", sample("shipment_shipped__links")).data

    assert data["customer"] == {"id": 7118352611, "link": "/v1/customers/7118352611"}
    assert data["ship_address"] == {"link": "/v1/shipments/7118352633/ship_address"}
    assert data["links"] == {
        "fulfillments": "/v1/shipments/7118352633/fulfillments",
        "labels": "/v1/shipments/7118352633/labels",
    }


def test_a_gift_order_names_its_recipient():
    info = load("order", sample("order_new__gift")).data["order_gift_info"]

    assert (info["gift_recipient_email"], info["gift_recipient_name"]) == ("tobias.lund@example.net", "Tobias Lund")


def test_a_redeemed_gift_has_the_recipient_in_lower_case_and_its_message_trimmed():
    gift = load("order", sample("order_updated__redeemed_gift")).data["received_gift"]

    assert (gift["email"], gift["message"]) == ("tobias.lund@example.net", "Open it slowly.")


def test_a_gift_subscription_names_its_sender():
    info = load("subscription", sample("subscription_new__gift")).data["subscription_gift_info"]

    assert info["gift_sender"]["email"] == "maren.quill@example.org"
