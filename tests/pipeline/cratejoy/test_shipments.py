"""Reading and writing shipments over real HTTP against the sandbox store."""

from __future__ import annotations

import pytest

from pipeline.core.errors import BrokenPage, NotFound, RequestRefused
from pipeline.cratejoy.shipments import ShipmentAPI
from pipeline.events.fields import format_time
from tests.pipeline.ledger.rows import NOW

LONG_AGO = 1_000_000_000_000_000


@pytest.fixture
def api(shop, store):
    shop.people(3)
    return ShipmentAPI(store)


def list_all(api, **which):
    return api.list_page(["unshipped", "shipped", "cancelled"], LONG_AGO, None, **which).results


def test_a_list_of_v11_shows_what_v1_shows_in_full(api):
    listed = {row["id"] for row in list_all(api)}
    whole = api.get(min(listed))

    assert whole["id"] in listed
    assert "order" in whole["fulfillments"][0]


def test_several_shipments_are_read_in_one_request(api, shop):
    ids = sorted(row["id"] for row in list_all(api))
    before = len(shop.asked())

    found = api.get_many([*ids, max(ids) + 1])

    assert sorted(found) == ids
    assert len(shop.asked()) - before == 1


def test_a_store_that_takes_no_several_ids_shows_none(api, shop):
    shop.fault(prefix="/v1/shipments/", page="null", on=1, times=1)

    assert api.get_many([1, 2]) == {}


def test_a_list_can_be_of_one_billing_type_and_until_a_time(api):
    types = {row["billing_type"] for row in list_all(api, billing_type="ecom")}

    assert types <= {"ecom"}
    assert api.list_page(["unshipped"], LONG_AGO, LONG_AGO).results == []


def test_what_is_no_page_is_no_empty_page(api, shop):
    shop.fault(prefix="/v1.1/shipments/", page="null", on=1, times=1)

    with pytest.raises(BrokenPage):
        list_all(api)


def test_only_the_named_properties_are_written(api):
    (number, *_) = sorted(row["id"] for row in list_all(api))
    before = api.get(number)

    api.write(number, {"tracking_number": "TEST1"})

    after = api.get(number)
    assert {name for name in after if after[name] != before[name]} <= {"tracking_number", "updated_at"}


def test_a_property_that_cratejoy_does_not_know_is_refused(api):
    (number, *_) = sorted(row["id"] for row in list_all(api))

    with pytest.raises(RequestRefused, match="Unknown property"):
        api.write(number, {"colour": "red"})


def test_a_shipment_that_is_gone_is_not_found(api):
    with pytest.raises(NotFound):
        api.get(99_999_999)


def test_times_are_written_as_cratejoy_takes_them():
    assert format_time(NOW + 999_999) == "2026-03-02T16:46:40Z"
