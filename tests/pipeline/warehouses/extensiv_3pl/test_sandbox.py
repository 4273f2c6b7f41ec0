"""What only 3PL Warehouse Manager does, against the sandbox."""

from __future__ import annotations

from threading import Thread

import pytest

from pipeline.core.fulfilment import AuthError, Cancelled, Created, Refused, Retryable
from tests.pipeline.warehouses.contract_helpers import list_all
from tests.pipeline.warehouses.kit import ORDER
from tests.pipeline.warehouses.sandbox_kit import Kit

NUMBER = ORDER.order_number
CANCELER = "POST /3pl/orders/*/canceler"


@pytest.fixture
def kit(make_kit) -> Kit:
    return make_kit("extensiv_3pl")


def count_tokens(kit: Kit) -> int:
    return sum(call.path == "/AuthServer/api/Token" for call in kit.calls)


def test_a_token_that_ends_in_the_middle_of_a_run_is_renewed_once(kit):
    warehouse = kit.warehouse()
    warehouse.create(kit.order("SUB-1"))
    kit.world.tokens.expire()

    assert isinstance(warehouse.create(kit.order("SUB-2")), Created)
    assert isinstance(warehouse.create(kit.order("SUB-3")), Created)
    assert count_tokens(kit) == 2


def test_two_processes_use_one_token(kit):
    kit.warehouse().check()
    kit.warehouse().check()

    assert count_tokens(kit) == 1


def test_orders_of_several_threads_all_arrive_while_the_token_ends(kit):
    kit.warehouse().check()
    kit.world.tokens.expire()
    answers: list[object] = []
    threads = [
        Thread(target=lambda number=number: answers.append(kit.warehouse().create(kit.order(f"SUB-{number}"))))
        for number in range(1, 9)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(isinstance(answer, Created) for answer in answers)
    assert len(kit.orders()) == 8


def test_an_order_that_changes_before_its_cancel_is_read_again(kit):
    warehouse = kit.warehouse()
    created = warehouse.create(kit.order())
    kit.fault(CANCELER, touch=True, times=2)

    assert warehouse.cancel(NUMBER, created.external_id, "Cancelled in Cratejoy") == Cancelled()
    assert [call.status for call in kit.calls if call.path.endswith("canceler")] == [412, 412, 204]


def test_an_order_that_always_changes_is_left_for_later(kit):
    warehouse = kit.warehouse()
    created = warehouse.create(kit.order())
    kit.fault(CANCELER, touch=True, times=9)

    assert isinstance(warehouse.cancel(NUMBER, created.external_id, "no more"), Retryable)
    assert kit.orders()[0].is_live


def test_a_weak_etag_is_sent_back_as_it_came(kit):
    kit.switch(weak_etags=True)
    warehouse = kit.warehouse()
    created = warehouse.create(kit.order())

    assert created.version.startswith('W/"')
    assert warehouse.cancel(NUMBER, created.external_id, "Cancelled in Cratejoy") == Cancelled()


def test_an_order_in_a_pick_batch_is_not_cancelled(kit):
    warehouse = kit.warehouse()
    created = warehouse.create(kit.order())
    kit.world.floor.pick(kit.orders()[0])

    assert warehouse.cancel(NUMBER, created.external_id, "Cancelled in Cratejoy") == Refused("InUse")


def test_an_order_on_hold_says_so(kit):
    warehouse = kit.warehouse()
    created = warehouse.create(kit.order())
    kit.world.floor.hold(kit.orders()[0], "Address")

    assert warehouse.find(NUMBER).note == "on_hold"
    assert warehouse.cancel(NUMBER, created.external_id, "Cancelled in Cratejoy") == Refused("on_hold")


def test_a_missing_role_pauses_the_connection(kit):
    kit.switch(has_order_write=False)
    warehouse = kit.warehouse()
    created = warehouse.create(kit.order())

    answer = warehouse.cancel(NUMBER, created.external_id, "Cancelled in Cratejoy")

    assert answer == AuthError("the role OrderWrite is missing (403)")


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_cancelled_order_is_never_taken_for_shipped(kit, is_closed):
    kit.switch(cancelled_is_closed=is_closed)
    warehouse = kit.warehouse()
    created = warehouse.create(kit.order())
    kit.cancel_at_warehouse(NUMBER)

    assert [order.progress for order in list_all(warehouse, [(NUMBER, created.external_id)])] == ["cancelled"]


def test_without_a_status_a_closed_order_is_shipped(kit):
    kit.switch(shows_status=False)
    warehouse = kit.warehouse()
    created = warehouse.create(kit.order())
    kit.ship(NUMBER, ["TEST1"])

    assert [order.progress for order in list_all(warehouse, [(NUMBER, created.external_id)])] == ["shipped"]


@pytest.mark.parametrize("places", [["parcel"], ["packages"], ["routing"], ["package_list"]])
@pytest.mark.parametrize("allows_list", [True, False])
def test_tracking_is_found_in_each_place_with_and_without_the_list(kit, places, allows_list):
    kit.switch(tracking_places=places, allows_rql_in=allows_list)
    warehouse = kit.warehouse()
    created = warehouse.create(kit.order())
    kit.ship(NUMBER, ["TEST1", "TEST2"])

    [listed] = list_all(warehouse, [(NUMBER, created.external_id)])

    assert listed.progress == "shipped"
    assert sorted(package.tracking_number for package in listed.packages) == ["TEST1", "TEST2"]


def test_a_tenant_without_the_list_is_asked_order_by_order(kit):
    kit.switch(allows_rql_in=False)
    warehouse = kit.warehouse()
    numbers = [f"SUB-{number}" for number in range(1, 24)]
    ids = [warehouse.create(kit.order(number)).external_id for number in numbers]
    for number in numbers[::2]:
        kit.ship(number, [f"TEST{number}"])

    listed = list_all(warehouse, list(zip(numbers, ids, strict=True)))

    assert [order.order_number for order in listed] == numbers[::2]
