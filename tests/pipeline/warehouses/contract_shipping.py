"""What every warehouse must do with what becomes of an order, over real HTTP; nothing here names one."""

from __future__ import annotations

from dataclasses import replace

from pipeline.core.fulfilment import (
    Cancelled,
    CancelPending,
    Refused,
)
from tests.pipeline.warehouses.contract_helpers import is_in_doubt, list_all
from tests.pipeline.warehouses.kit import ORDER
from tests.pipeline.warehouses.sandbox_kit import Kit

NUMBER = ORDER.order_number


class ShippingSuite:
    """The part of the contract about tracking and cancels."""

    def test_a_shipped_order_is_listed_with_its_tracking_until_it_is_acknowledged(self, kit: Kit):
        warehouse = kit.warehouse()
        created = warehouse.create(kit.order())
        kit.ship(NUMBER, ["TEST1"])

        [order] = list_all(warehouse, [(NUMBER, created.external_id)])
        acknowledged = warehouse.acknowledge(NUMBER, ["TEST1"])
        after = list_all(warehouse, [(NUMBER, created.external_id)])

        assert (order.order_number, order.progress) == (NUMBER, "shipped")
        assert [package.tracking_number for package in order.packages] == ["TEST1"]
        assert abs(order.packages[0].shipped_at - kit.now_us()) < 60_000_000
        assert acknowledged is None
        assert len(after) == (0 if warehouse.capabilities.acknowledges else 1)

    def test_an_acknowledgement_may_be_repeated(self, kit: Kit):
        warehouse = kit.warehouse()
        warehouse.create(kit.order())
        kit.ship(NUMBER, ["TEST1"])

        assert [warehouse.acknowledge(NUMBER, ["TEST1"]) for _ in range(2)] == [None, None]

    def test_a_part_of_an_order_is_listed_as_a_part(self, kit: Kit):
        warehouse, order = kit.warehouse(), kit.order(lines=(replace(ORDER.lines[0], quantity=2),))
        created = warehouse.create(order)
        kit.ship(NUMBER, ["TEST1"], complete=False)

        [listed] = list_all(warehouse, [(NUMBER, created.external_id)])

        assert listed.progress == "partial"
        assert [package.tracking_number for package in listed.packages] == ["TEST1"]

    def test_every_package_is_listed_even_beyond_what_was_ordered(self, kit: Kit):
        warehouse = kit.warehouse()
        created = warehouse.create(kit.order())
        kit.ship(NUMBER, ["TEST1", "TEST2", "TEST3"])

        [listed] = list_all(warehouse, [(NUMBER, created.external_id)])

        assert listed.progress == "shipped"
        assert sorted(package.tracking_number for package in listed.packages) == ["TEST1", "TEST2", "TEST3"]

    def test_an_open_order_is_cancelled_once_and_for_all(self, kit: Kit):
        warehouse = kit.warehouse()
        created = warehouse.create(kit.order())

        answers = [warehouse.cancel(NUMBER, created.external_id, "Cancelled in Cratejoy") for _ in range(2)]

        assert answers == [Cancelled(), Cancelled()]
        assert warehouse.find(NUMBER).progress == "cancelled"

    def test_an_order_is_cancelled_by_its_number_alone(self, kit: Kit):
        warehouse = kit.warehouse()
        warehouse.create(kit.order())

        assert warehouse.cancel(NUMBER, "", "Cancelled in Cratejoy") == Cancelled()

    def test_a_cancel_that_takes_a_while_is_not_taken_for_done(self, kit: Kit):
        kit.switch(cancel_takes_s=3600)
        warehouse = kit.warehouse()
        created = warehouse.create(kit.order())

        answer = warehouse.cancel(NUMBER, created.external_id, "Cancelled in Cratejoy")

        assert isinstance(answer, Cancelled | CancelPending)
        assert answer == CancelPending() or kit.protocol.channel == "3pl"  # its 204 means that it is done

    def test_a_shipped_order_is_not_cancelled(self, kit: Kit):
        warehouse = kit.warehouse()
        created = warehouse.create(kit.order())
        kit.ship(NUMBER, ["TEST1"])

        assert isinstance(warehouse.cancel(NUMBER, created.external_id, "Cancelled in Cratejoy"), Refused)
        assert warehouse.find(NUMBER).progress == "shipped"

    def test_a_cancel_whose_answer_was_lost_is_in_doubt(self, kit: Kit):
        warehouse = kit.warehouse()
        created = warehouse.create(kit.order())
        kit.fault(kit.protocol.cancel, drop_after_commit=True)

        answer = warehouse.cancel(NUMBER, created.external_id, "Cancelled in Cratejoy")

        assert is_in_doubt(warehouse, answer)
        assert warehouse.find(NUMBER).progress == "cancelled"

    def test_an_order_cancelled_at_the_warehouse_is_listed(self, kit: Kit):
        warehouse = kit.warehouse()
        created = warehouse.create(kit.order())
        kit.cancel_at_warehouse(NUMBER)

        listed = list_all(warehouse, [(NUMBER, created.external_id)])

        assert [(order.order_number, order.progress) for order in listed] == [(NUMBER, "cancelled")]

    def test_more_orders_than_one_part_holds_are_all_listed(self, kit: Kit):
        warehouse = kit.warehouse()
        numbers = [f"SUB-{number}" for number in range(1, 102)]
        ids = [warehouse.create(kit.order(number)).external_id for number in numbers]
        for number in numbers:
            kit.ship(number, [f"TEST{number}"])

        listed = list_all(warehouse, list(zip(numbers, ids, strict=True)))

        assert sorted(order.order_number for order in listed) == sorted(numbers)
