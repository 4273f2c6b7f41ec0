"""A paused warehouse: what waits, and what goes on, by why it is paused."""

from __future__ import annotations

import pytest

from bench.warehouse_configs import build_config
from pipeline.fulfilment.set_up import PAUSED_BY_HAND, connect_warehouse, resume
from pipeline.ledger.engine import writing
from pipeline.ledger.fulfilment.warehouses import UNUSUAL, pause_warehouse
from tests.pipeline.fulfilment.bridge import DAY, HOUR


@pytest.fixture(params=[PAUSED_BY_HAND, f"{UNUSUAL}: 900 boxes of a day would go"])
def paused(bridge, request):
    """A bridge with one box at the warehouse, which is paused then."""
    bridge.one = bridge.sell()
    bridge.search()
    with writing(bridge.engine) as conn:
        pause_warehouse(conn, bridge.store_id, request.param, bridge.clock())
    return bridge


@pytest.fixture
def refused(bridge):
    """A bridge with one box that has left and one that is due, whose warehouse refuses the keys since."""
    bridge.one = bridge.sell()
    bridge.search()
    bridge.ship(bridge.one)
    bridge.run("tracking")
    bridge.two = bridge.sell()
    bridge.run("pull_adhoc")
    bridge.fault(match="/cartrover", status=401, times=None)
    bridge.run("deliver")
    assert "keys" in bridge.is_paused()
    return bridge


def test_a_paused_warehouse_is_given_no_box(paused):
    shipment = paused.sell()
    paused.search()

    assert (paused.state(shipment), paused.sent(shipment)) == ("ready", [])


def test_keys_that_are_saved_again_end_no_pause_of_a_person(paused):
    config = build_config("cartrover", paused.warehouse.url)
    reason = paused.is_paused()
    connect_warehouse(paused.context, paused.store_id, "cartrover", config, {})

    assert paused.is_paused() == reason


def test_keys_that_work_end_a_pause_because_of_keys(refused):
    refused.mend()
    connect_warehouse(
        refused.context, refused.store_id, "cartrover", build_config("cartrover", refused.warehouse.url), {}
    )

    assert refused.is_paused() is None


def test_a_box_is_cancelled_at_a_paused_warehouse(paused):
    paused.do("shipments", paused.one, "cancel")
    paused.hint(("shipment", paused.one))
    paused.settle()

    assert paused.state(paused.one) == "cancelled(cancelled_at_cratejoy)"
    assert paused.sent(paused.one)[0]["stage"] == "cancelled"


def test_what_leaves_a_paused_warehouse_is_confirmed(paused):
    paused.ship(paused.one)
    paused.wait(HOUR)

    assert paused.state(paused.one) == "confirmed"


def test_tracking_is_written_to_cratejoy_while_the_warehouse_refuses_the_keys(refused):
    refused.wait(HOUR)

    assert refused.state(refused.one) == "confirmed"


def test_a_cancel_before_the_sending_counts_while_the_warehouse_refuses_the_keys(refused):
    refused.do("shipments", refused.two, "cancel")
    refused.wait(HOUR)

    assert refused.state(refused.two) == "cancelled(cancelled_before_sending)"


def test_keys_that_are_refused_during_a_pause_are_not_tried_again_before_a_person_resumes(paused):
    paused.fault(match="/cartrover", status=401, times=None)
    paused.do("shipments", paused.one, "cancel")
    paused.hint(("shipment", paused.one))
    paused.mend()
    paused.wait(DAY)
    before = paused.state(paused.one)
    resume(paused.context, paused.store_id)
    paused.settle()

    assert (before, paused.state(paused.one)) == ("cancel_requested", "cancelled(cancelled_at_cratejoy)")
