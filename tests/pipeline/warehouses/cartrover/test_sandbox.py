"""What only the Cart API does, against the sandbox."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.core.fulfilment import Cancelled, Created, Invalid, NotFound, RateLimited, Refused
from pipeline.fulfilment.same_box import compare_box
from tests.pipeline.warehouses.contract_helpers import list_all
from tests.pipeline.warehouses.kit import ORDER
from tests.pipeline.warehouses.sandbox_kit import Kit

NUMBER = ORDER.order_number


@pytest.fixture
def kit(make_kit) -> Kit:
    return make_kit("cartrover")


def test_an_empty_bucket_is_a_rate_limit_in_a_200_but_new_orders_pass(kit):
    kit.world.bucket.empty(kit.world.now)
    warehouse = kit.warehouse()

    assert warehouse.find(NUMBER) == RateLimited(3.0, doubles=True)
    assert isinstance(warehouse.create(kit.order()), Created)
    assert kit.calls[0].status == 200


def test_every_call_has_the_id_that_the_vendors_support_asks_for(kit):
    kit.warehouse().find(NUMBER)

    assert kit.calls[0].support_id.startswith("sandbox-")


def test_an_address_that_was_normalised_is_the_same_box(kit):
    warehouse, order = kit.warehouse(), kit.order()
    warehouse.create(order)

    found = warehouse.find(NUMBER)

    assert found.content.name == "EXAMPLE RECIPIENT"
    assert len(found.content.zip) == 10
    assert compare_box(order, found) == "same"


@pytest.mark.parametrize("place", ["message", "status_message"])
def test_an_error_is_understood_wherever_its_text_is(kit, place):
    kit.switch(error_text=place)

    assert kit.warehouse().find(NUMBER) == NotFound()


def test_a_country_of_two_letters_is_refused_by_its_field(kit):
    answer = kit.warehouse().create(replace(kit.order(), ship_to=replace(ORDER.ship_to, country="US")))

    assert isinstance(answer, Invalid)
    assert answer.fields[0][0] == "ship_country"


def test_an_order_that_is_not_at_the_warehouse_yet_is_kept_from_being_sent(kit):
    kit.switch(delivery_s=3600)
    warehouse = kit.warehouse()
    warehouse.create(kit.order())

    assert warehouse.cancel(NUMBER, NUMBER, "Cancelled in Cratejoy") == Cancelled()


def test_the_older_cancel_call_works_only_shortly_after_the_order(kit):
    warehouse = kit.warehouse(cancel_call="legacy")
    warehouse.create(kit.order("SUB-1"))
    warehouse.create(kit.order("SUB-2"))

    first = warehouse.cancel("SUB-1", "SUB-1", "Cancelled in Cratejoy")
    kit.switch(legacy_cancel_s=0)
    second = warehouse.cancel("SUB-2", "SUB-2", "Cancelled in Cratejoy")

    assert first == Cancelled()
    assert second == Refused("Order can no longer be canceled")


def test_orders_of_other_shops_in_the_same_warehouse_are_listed_too(kit):
    warehouse = kit.warehouse()
    warehouse.create(kit.order("77"))
    kit.ship("77", ["TEST1"])

    assert [order.order_number for order in list_all(warehouse, [])] == ["77"]
