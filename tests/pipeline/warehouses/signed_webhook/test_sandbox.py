"""What only the signed web hook does, against the sandbox."""

from __future__ import annotations

import pytest

from pipeline.core.fulfilment import AuthError, Created, Invalid, Pushed, PushRefused
from sandbox.warehouse.outbox import Listener
from sandbox.warehouse.posting import sign
from sandbox.warehouse.world import Keys
from tests.pipeline.warehouses.kit import ORDER
from tests.pipeline.warehouses.sandbox_kit import Kit

NUMBER = ORDER.order_number
SECRET = Keys().webhook_secret


@pytest.fixture
def kit(make_kit) -> Kit:
    kit = make_kit("signed_webhook")
    kit.world.outbox.listeners["generic"] = Listener("generic", "http://elsewhere.invalid/", SECRET)
    return kit


def read_last(kit: Kit, flaw: str = "none") -> Pushed | PushRefused:
    """The last event of the sandbox, as it arrives."""
    notice = kit.world.outbox.notices[-1]
    headers = sign(kit.world, kit.world.outbox.listeners["generic"], notice.message_id, notice.body, flaw)
    return kit.warehouse().read_push({name.lower(): value for name, value in headers.items()}, notice.body)


def test_an_order_is_repeated_without_a_second_box(kit):
    kit.fault("POST /generic", drop_after_commit=True)
    warehouse = kit.warehouse()
    warehouse.create(kit.order())

    assert isinstance(warehouse.create(kit.order()), Created)
    assert len(kit.orders()) == 1


def test_an_order_that_was_refused_may_be_sent_again_as_it_is(kit):
    kit.switch(unknown_skus=["BOX-2602"])
    warehouse = kit.warehouse()
    refused = warehouse.create(kit.order())
    kit.switch(unknown_skus=[])

    assert isinstance(refused, Invalid)
    assert isinstance(warehouse.create(kit.order()), Created)


def test_an_address_that_is_switched_off_pauses_the_connection(kit):
    kit.switch(is_endpoint_off=True)

    assert kit.warehouse().create(kit.order()) == AuthError("the warehouse has switched its address off (410)")


@pytest.mark.parametrize(("complete", "progress"), [(True, "shipped"), (False, "partial")])
def test_a_shipment_is_pushed(kit, complete, progress):
    created = kit.warehouse().create(kit.order())
    kit.ship(NUMBER, ["TEST1", "TEST2"], complete=complete)

    pushed = read_last(kit)

    assert (pushed.order.order_number, pushed.order.external_id) == (NUMBER, created.external_id)
    assert pushed.order.progress == progress
    assert [package.tracking_number for package in pushed.order.packages] == ["TEST1", "TEST2"]


def test_a_cancel_at_the_warehouse_is_pushed(kit):
    kit.warehouse().create(kit.order())
    kit.cancel_at_warehouse(NUMBER)

    assert read_last(kit).order.progress == "cancelled"


def test_an_order_that_is_put_on_hold_is_pushed_as_refused(kit):
    kit.warehouse().create(kit.order())
    kit.world.floor.hold(kit.orders()[0], "No stock")

    assert read_last(kit).refusal == Invalid((("order", "No stock"),))


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        ("wrong_key", "no signature fits"),
        ("changed_body", "no signature fits"),
        ("stale", "the timestamp is more than five minutes off"),
        ("unsigned", "a header is missing"),
    ],
)
def test_an_event_with_a_flaw_is_not_believed(kit, flaw, reason):
    kit.warehouse().create(kit.order())
    kit.cancel_at_warehouse(NUMBER)

    assert read_last(kit, flaw) == PushRefused("signature", reason)
