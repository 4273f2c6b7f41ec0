"""What hooks hint at is read through the API, once for each hook that came after the last reading."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from pipeline.fulfilment.run import look_at_hinted
from pipeline.fulfilment.site import open_site
from pipeline.fulfilment.steps.pull import look_at
from pipeline.ledger.engine import writing
from pipeline.ledger.fulfilment.warehouses import update_warehouse


class Slow:
    """The shipments of the store, whose answers take ten seconds."""

    def __init__(self, shipments, clock):
        self.shipments, self.clock = shipments, clock

    def get(self, shipment_id):
        body = self.shipments.get(shipment_id)
        self.clock.now += 10_000_000
        return body

    def __getattr__(self, name):
        return getattr(self.shipments, name)


def test_a_hook_that_comes_while_its_shipment_is_read_has_it_read_once_more(bridge):
    shipment = bridge.sell()
    site = open_site(bridge.context, bridge.store_id)
    started = bridge.clock()
    look_at(replace(site, shipments=Slow(site.shipments, bridge.clock)), [shipment])
    asked = [len(bridge.store.asked())]
    for since in (started + 5_000_000, started):
        look_at_hinted(bridge.context, bridge.store_id, [("shipment", shipment)], since)
        asked.append(len(bridge.store.asked()))

    assert [after - before for before, after in pairwise(asked)] == [1, 0]


def test_a_hint_for_a_store_whose_keys_cannot_be_opened_pauses_its_warehouse(bridge):
    with writing(bridge.engine) as conn:
        update_warehouse(conn, bridge.store_id, config=b"not ours")

    assert "CRATEWIRE_SECRET_KEY" in bridge.hint(("shipment", 1)).error
    assert "CRATEWIRE_SECRET_KEY" in bridge.is_paused()
