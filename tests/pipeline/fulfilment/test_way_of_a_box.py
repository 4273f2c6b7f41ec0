"""A box from its sale to the e-mail that the customer gets: through every adapter, over real HTTP."""

from __future__ import annotations

import pytest

from tests.pipeline.fulfilment.bridge import MINUTE

ADAPTERS = ["cartrover", "extensiv_3pl", "signed_webhook"]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_box_goes_out_and_comes_back_confirmed(make_bridge, adapter):
    bridge = make_bridge(adapter)
    bridge.go_live()
    shipment = bridge.sell()
    bridge.search()
    assert bridge.state(shipment) == "at_warehouse"

    bridge.ship(shipment)
    bridge.wait(15 * MINUTE)

    seen = bridge.shipment(shipment)
    assert bridge.state(shipment) == "confirmed"
    assert (seen["status"], seen["emails"], len(bridge.sent(shipment))) == ("shipped", 1, 1)
