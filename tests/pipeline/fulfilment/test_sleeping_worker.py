"""A worker that sleeps through the reaping of its box: what it had looked up is true no more when it wakes."""

from __future__ import annotations

from dataclasses import replace

from pipeline.fulfilment.site import open_site
from pipeline.fulfilment.steps.confirm import confirm
from tests.pipeline.fulfilment.bridge import MINUTE, Fuse


class Sleep(Fuse):
    """Once, after a call, other workers go on for a while. `creates`: how many creates were sent."""

    def __init__(self, after, meanwhile):
        super().__init__()
        self.after, self.meanwhile, self.creates = after, meanwhile, 0

    def burn(self, point, call):
        self.creates += (point, call) == ("before", "create")
        if point == "after" and call == self.after:
            self.after = None
            self.meanwhile()


def test_a_worker_that_slept_after_its_look_up_creates_nothing(make_bridge):
    bridge = make_bridge("extensiv_3pl")
    bridge.go_live()
    shipment = bridge.sell()

    def go_on():
        bridge.context.redis.flushall()  # the sleeper's lease expires
        for _ in range(6):  # reaped, looked up twice, and sent by another worker
            bridge.wait(11 * MINUTE)
        assert bridge.state(shipment) == "at_warehouse"

    bridge.fuse = Sleep("find", go_on)
    bridge.search()

    assert (bridge.fuse.creates, bridge.state(shipment), len(bridge.sent(shipment))) == (1, "at_warehouse", 1)


class SleepyShipments:
    """The shipments of the store; once, after one was read, other workers go on for a while."""

    def __init__(self, shipments, meanwhile):
        self.shipments, self.meanwhile = shipments, meanwhile

    def get(self, shipment_id):
        body = self.shipments.get(shipment_id)
        if self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return body

    def __getattr__(self, name):
        return getattr(self.shipments, name)


def test_a_worker_that_slept_after_its_reading_marks_nothing_as_shipped(bridge):
    shipment = bridge.sell()
    bridge.search()
    bridge.ship(shipment)
    bridge.skip(15 * MINUTE)
    bridge.run("tracking")

    def go_on():
        for _ in range(2):  # reaped, and confirmed by another worker
            bridge.wait(11 * MINUTE)
        assert bridge.state(shipment) == "confirmed"

    site = open_site(bridge.context, bridge.store_id)
    confirm(replace(site, shipments=SleepyShipments(site.shipments, go_on)))

    seen = bridge.shipment(shipment)
    assert (seen["emails"], seen["shipped_puts"], bridge.state(shipment)) == (1, 1, "confirmed")
