"""What the warehouse sends by itself, as its sandbox signs it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.fulfilment.pushes import PushStatus, take_push
from sandbox.warehouse.outbox import Listener
from sandbox.warehouse.posting import sign
from tests.pipeline.fulfilment.bridge import KEYS, Bridge

BOX = {"carrier": "USPS", "tracking_number": "TEST1"}


@pytest.fixture
def bridge(make_bridge: Callable[..., Bridge]) -> Bridge:
    made = make_bridge("signed_webhook")
    made.go_live()
    made.warehouse.world.outbox.listeners["generic"] = Listener("generic", "http://nowhere/", KEYS.webhook_secret)
    return made


def send_sent(bridge: Bridge) -> int:
    """A box that is at the warehouse."""
    shipment = bridge.sell()
    bridge.search()
    assert bridge.state(shipment) == "at_warehouse"
    return shipment


def push(bridge: Bridge, position: int = -1, *, flaw: str = "none", body: bytes | None = None) -> PushStatus:
    """One of the warehouse's messages, as it arrives."""
    world = bridge.warehouse.world
    notice = world.outbox.notices[position]
    content = notice.body if body is None else body
    headers = sign(world, world.outbox.listeners["generic"], notice.message_id, content, flaw)
    lowered = {name.lower(): value for name, value in headers.items()}
    return take_push(bridge.context, bridge.store_id, lowered, content)


def test_a_pushed_shipment_is_confirmed_to_the_store(bridge):
    shipment = send_sent(bridge)
    bridge.ship(shipment, packages=[BOX])

    assert push(bridge) == "taken"
    bridge.settle()

    assert bridge.state(shipment) == "confirmed"
    assert bridge.shipment(shipment)["tracking_number"] == "TEST1"


def test_a_repeated_message_is_known_and_writes_one_e_mail(bridge):
    shipment = send_sent(bridge)
    bridge.ship(shipment, packages=[BOX])

    statuses = [push(bridge) for _ in range(3)]
    bridge.settle()
    bridge.context.redis.flushall()
    statuses.append(push(bridge))
    bridge.settle()

    assert statuses == ["taken", "known", "known", "taken"]
    assert bridge.shipment(shipment)["emails"] == 1


@pytest.mark.parametrize("flaw", ["wrong_key", "stale", "unsigned", "changed_body"])
def test_a_message_that_is_not_signed_well_changes_nothing(bridge, flaw):
    shipment = send_sent(bridge)
    bridge.ship(shipment, packages=[BOX])

    assert push(bridge, flaw=flaw) == "unsigned"
    assert bridge.state(shipment) == "at_warehouse"


def test_a_signed_message_that_is_no_json_is_malformed(bridge):
    bridge.ship(send_sent(bridge), packages=[BOX])

    assert push(bridge, body=b"{") == "malformed"


def test_a_message_of_no_box_of_ours_is_taken_and_kept_apart(bridge):
    bridge.control("orders", channel="generic", order_number="SUB-4711", lines=[{"sku": "BOX", "quantity": 1}])
    bridge.control("ship", order_number="SUB-4711", packages=[BOX])

    assert push(bridge) == "taken"
    assert bridge.quarantined() == ["TEST1"]


def test_a_cancel_at_the_warehouse_is_shown(bridge):
    shipment = send_sent(bridge)
    bridge.control("cancel_at_warehouse", order_number=bridge.box(shipment).order_number)

    assert push(bridge) == "taken"
    assert bridge.state(shipment) == "cancelled_at_warehouse(cancelled_by_warehouse)"


def test_an_order_that_the_warehouse_will_not_send_is_held_with_its_reason(bridge):
    shipment = send_sent(bridge)
    bridge.control("hold", order_number=bridge.box(shipment).order_number, reason="No stock")

    assert push(bridge) == "taken"
    assert bridge.state(shipment) == "held(rejected_by_warehouse)"
    assert bridge.box(shipment).detail == {"fields": [["order", "No stock"]]}


def test_a_store_without_a_warehouse_that_sends_messages_takes_none(make_bridge):
    bridge = make_bridge("cartrover")

    assert take_push(bridge.context, bridge.store_id, {}, b"{}") == "not_here"
    assert take_push(bridge.context, bridge.store_id + 1, {}, b"{}") == "not_here"
