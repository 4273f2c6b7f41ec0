"""A release that creates or writes blindly is seen by the counts of `make chaos`: its rows can fail."""

from __future__ import annotations

import pytest

from bench.chaos.boxes.counting import Sold, count_boxes
from bench.chaos.boxes.worker import create_blindly, write_blindly
from bench.warehouse_configs import ADAPTERS
from pipeline.fulfilment.steps import calls, confirm
from tests.pipeline.fulfilment.bridge import MINUTE
from tests.pipeline.fulfilment.test_sending import CREATE


@pytest.fixture
def wrong(monkeypatch):
    """Restores what a wrong release replaces."""
    for module, name in ((calls, "_call"), (confirm, "plan_confirm")):
        monkeypatch.setattr(module, name, vars(module)[name])


def count(bridge, shipment):
    boxes, orders = [bridge.shipment(shipment)], bridge.sent()
    return count_boxes(Sold([shipment]), boxes, orders, {shipment: bridge.box(shipment).state.value})


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_box_that_is_created_again_blindly_is_seen(make_bridge, wrong, adapter):
    create_blindly()
    bridge = make_bridge(adapter)
    bridge.go_live()
    bridge.control("switches", refuse_duplicates=False)
    bridge.fault(match=CREATE[adapter], drop_after_commit=True)
    shipment = bridge.sell()
    bridge.search()
    for _ in range(3):
        bridge.wait(6 * MINUTE)

    assert count(bridge, shipment).twice == 1


def test_tracking_that_is_written_again_blindly_is_seen(bridge, wrong):
    write_blindly()
    bridge.store.switch(mails_again=True)
    bridge.store.fault(prefix="/v1/shipments/", method="PUT", drop_after_commit=True, times=1)
    shipment = bridge.sell()
    bridge.search()
    bridge.ship(shipment)
    bridge.wait(15 * MINUTE)
    bridge.wait(2 * MINUTE)

    assert count(bridge, shipment).twice == 2  # a writing and an e-mail
