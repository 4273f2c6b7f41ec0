"""One box, one store or one warehouse in trouble holds no other."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import update

from pipeline.core.errors import ServerFault
from pipeline.fulfilment.rules.order import evaluate
from pipeline.fulfilment.schedule import list_due_lanes
from pipeline.fulfilment.site import open_site
from pipeline.fulfilment.steps.deliver import deliver
from pipeline.fulfilment.steps.pull import look_at, pull_shipments, wake
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.orders import change_order
from pipeline.ledger.fulfilment.runs import find_last_run
from pipeline.ledger.fulfilment.warehouses import get_warehouse
from pipeline.ledger.schema.core import Store
from tests.pipeline.fulfilment.bridge import DAY, HOUR, Fuse


class Poisoned:
    """The shipments of the store, one of which makes Cratejoy fail in every request for it."""

    def __init__(self, shipments, poison):
        self.shipments, self.poison = shipments, poison

    def get(self, shipment_id):
        self._fail_for([shipment_id])
        return self.shipments.get(shipment_id)

    def get_many(self, shipment_ids):
        self._fail_for(shipment_ids)
        return self.shipments.get_many(shipment_ids)

    def _fail_for(self, shipment_ids):
        if self.poison in shipment_ids:
            raise ServerFault("GET shipments: answered 500")

    def __getattr__(self, name):
        return getattr(self.shipments, name)


def open_poisoned(bridge, poison):
    site = open_site(bridge.context, bridge.store_id)
    return replace(site, shipments=Poisoned(site.shipments, poison))


def test_a_shipment_that_the_store_cannot_show_holds_no_other_from_going_out(bridge):
    poison, other, last = (bridge.sell() for _ in range(3))
    bridge.run("pull_adhoc")
    site = open_poisoned(bridge, poison)

    with suppress(ServerFault):
        deliver(site)
    deliver(site)

    assert [bridge.state(one) for one in (poison, other, last)] == ["ready", "at_warehouse", "at_warehouse"]


def test_a_due_shipment_that_the_store_cannot_show_holds_no_other_from_waking(bridge):
    bridge.set(future_days="1", standard_early_days="7")
    poison, other = (bridge.sell(target=bridge.iso(5 * DAY)) for _ in range(2))
    bridge.run("pull_adhoc")
    bridge.clock.now += 5 * DAY * 1_000_000
    site = open_poisoned(bridge, poison)

    with suppress(ServerFault):
        wake(site)
    wake(site)

    assert bridge.state(other) == "ready"


def test_a_search_reads_on_after_a_shipment_that_the_store_cannot_show(bridge):
    poison, other = (bridge.sell() for _ in range(2))

    pulled = pull_shipments(open_poisoned(bridge, poison), "adhoc")

    assert pulled.error is not None
    assert [bridge.state(one) for one in (poison, other)] == ["ready", "ready"]


def test_parts_after_one_that_the_store_cannot_show_are_read(bridge):
    shipment = bridge.sell()
    ghosts = list(range(1, 51))

    with pytest.raises(ServerFault):
        look_at(open_poisoned(bridge, 1), [*ghosts, shipment])

    assert bridge.box(shipment).shipment_id == shipment


class Slow(Fuse):
    """Each create takes the warehouse ten seconds."""

    def __init__(self, clock):
        super().__init__()
        self.clock = clock

    def burn(self, point, call):
        self.clock.now += 10_000_000 * ((point, call) == ("after", "create"))


def test_a_slow_warehouse_gives_its_worker_back_after_the_boxes_that_are_under_way(bridge):
    for _ in range(6):
        bridge.sell()
    bridge.run("pull_adhoc")
    bridge.fuse = Slow(bridge.clock)

    result = bridge.run("deliver")

    assert len(bridge.sent()) <= bridge.context.settings.fulfilment_at_once
    assert result.resume_in_s == 0.0


class Broken(Fuse):
    """A fault of ours in each call about one box."""

    def __init__(self, call, number):
        super().__init__()
        self.wanted = call, number

    def around(self, warehouse):
        call, number = self.wanted

        class Faulty:
            def __getattr__(self, name):
                return getattr(warehouse, name)

        def fail(given, *rest):
            if getattr(given, "order_number", given) == number:
                raise KeyError("tracking")
            return getattr(warehouse, call)(given, *rest)

        faulty = Faulty()
        setattr(faulty, call, fail)
        return faulty


@pytest.mark.parametrize("call", ["find", "create"])
def test_a_box_in_whose_call_we_fail_is_set_aside_after_some_tries_and_holds_no_other(bridge, call, monkeypatch):
    monkeypatch.setattr("pipeline.fulfilment.steps.set_aside.MAX_TRIES", 2)
    boxes = [bridge.sell(), bridge.sell()]
    bridge.run("pull_adhoc")
    if call == "find":
        bridge.fault(match="POST /cartrover", drop_after_commit=True)
        bridge.run("deliver")
    poison, other = sorted(boxes, key=lambda one: bridge.state(one) != "unknown")
    bridge.fuse = Broken(call, bridge.box(poison).order_number)
    for _ in range(6):
        bridge.wait(2 * HOUR)

    assert [bridge.state(one) for one in (poison, other)] == ["failed(delivery_failed)", "at_warehouse"]
    assert bridge.box(poison).detail == {"error": "KeyError"}


def test_a_parcel_in_whose_acknowledgement_we_fail_holds_no_other(bridge):
    poison, other = bridge.sell(), bridge.sell()
    bridge.search()
    for shipment in (poison, other):
        bridge.ship(shipment)
    bridge.fuse = Broken("acknowledge", bridge.box(poison).order_number)
    bridge.wait(HOUR)

    assert [bridge.state(one) for one in (poison, other)] == ["confirmed", "confirmed"]
    assert ["acknowledged" in bridge.events(one) for one in (poison, other)] == [False, True]


def test_a_box_whose_order_cannot_be_opened_is_set_aside_and_holds_no_other(bridge, monkeypatch):
    monkeypatch.setattr("pipeline.fulfilment.steps.set_aside.MAX_TRIES", 2)
    boxes = [bridge.sell() for _ in range(2)]
    bridge.run("pull_adhoc")
    bridge.fault(match="POST /cartrover", drop_after_commit=True)
    bridge.run("deliver")
    (lost,) = [one for one in boxes if bridge.state(one) == "unknown"]
    with writing(bridge.engine) as conn:
        change_order(conn, bridge.box(lost), bridge.clock(), payload=b"not ours")
    for _ in range(3):
        bridge.wait(2 * HOUR)

    assert sorted(bridge.state(one) for one in boxes) == ["at_warehouse", "failed(delivery_failed)"]


def test_a_shipment_that_cannot_be_judged_is_held_and_holds_no_other(bridge, monkeypatch):
    poison, other = bridge.sell(), bridge.sell()

    def fail(found, *given, **how):
        if found.id == poison:
            raise KeyError("sku")
        return evaluate(found, *given, **how)

    monkeypatch.setattr("pipeline.fulfilment.steps.look.evaluate", fail)
    pulled = bridge.run("pull_adhoc")

    assert pulled.error is None
    assert [bridge.state(one) for one in (poison, other)] == ["held(invalid)", "ready"]


class SlowPages(Fuse):
    """Each part of the warehouse's list takes four seconds."""

    def __init__(self, clock):
        super().__init__()
        self.clock, self.parts = clock, 0

    def burn(self, point, call):
        if (point, call) == ("after", "list_shipped"):
            self.parts += 1
            self.clock.now += 4_000_000


def test_a_slow_list_gives_its_worker_back_after_one_part_and_is_due_at_once(bridge):
    bridge.fuse = SlowPages(bridge.clock)

    runs = [bridge.run("tracking") for _ in range(4)]

    assert [run.resume_in_s for run in runs] == [0.0, 0.0, 0.0, None]
    with reading(bridge.engine) as conn:
        assert find_last_run(conn, bridge.store_id, "tracking").pages == bridge.fuse.parts == 4


def test_a_list_that_goes_on_does_not_wait_for_the_next_interval(bridge):
    bridge.fuse = SlowPages(bridge.clock)
    bridge.skip(DAY)
    bridge.run("tracking")

    with reading(bridge.engine) as conn:
        row = get_warehouse(conn, bridge.store_id)
        assert "tracking" in list_due_lanes(conn, row, bridge.clock())


class SlowShipments:
    """The shipments of the store, each page of which takes four seconds; one shipment cannot be shown."""

    def __init__(self, shipments, clock):
        self.shipments, self.clock = shipments, clock

    def list_page(self, *given):
        self.clock.now += 4_000_000
        return self.shipments.list_page(*given)

    def __getattr__(self, name):
        return getattr(self.shipments, name)


def test_a_slow_store_gives_the_worker_back_after_one_page_and_its_fault_is_remembered(bridge, monkeypatch):
    monkeypatch.setattr("pipeline.cratejoy.shipments.LIST_LIMIT", 1)
    poison, other, last = (bridge.sell() for _ in range(3))
    site = open_poisoned(bridge, poison)
    site = replace(site, shipments=SlowShipments(site.shipments, bridge.clock))

    pulls = [pull_shipments(site, "adhoc") for _ in range(3)]

    assert [pulled.resume_in_s for pulled in pulls] == [0.0, 0.0, None]
    assert "answered 500" in pulls[-1].error
    assert [bridge.state(one) for one in (other, last)] == ["ready", "ready"]


def test_nothing_is_sent_for_a_store_that_is_being_removed(bridge):
    shipment = bridge.sell()
    bridge.run("pull_adhoc")
    with writing(bridge.engine) as conn:
        conn.execute(update(Store).where(Store.id == bridge.store_id).values(removed_at=bridge.clock.now))

    bridge.run("deliver")

    assert (bridge.state(shipment), bridge.sent()) == ("ready", [])
