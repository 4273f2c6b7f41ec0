"""A slice of boxes: what it asks of the warehouse, and that each goes out once all the same."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from pipeline.core.fulfilment import RateLimited, Retryable
from pipeline.fulfilment.site import open_site
from pipeline.fulfilment.steps.calls import note_trouble
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.warehouses import get_warehouse
from pipeline.ledger.schema.fulfilment import FulfilmentOrder
from tests.pipeline.fulfilment.bridge import MINUTE
from tests.pipeline.fulfilment.test_sending import ADAPTERS

BOXES = 5


def sell_many(bridge) -> list[int]:
    sales = bridge.store.control(
        "sales", {"count": BOXES, "silent": True, "billing": "adhoc", "target": bridge.iso(-3_600)}
    )
    bridge.skip(MINUTE)
    bridge.run("pull_adhoc")
    return [sale["shipment_ids"][0] for sale in sales["sales"]]


def list_reads(bridge) -> list[str]:
    """The look-ups that the warehouse has answered."""
    entries = bridge.warehouse.world.log.entries()
    return [entry["path"] for entry in entries if entry["method"] == "GET" and "_control" not in entry["path"]]


def list_states(bridge, shipments) -> set[str]:
    return {bridge.state(shipment) for shipment in shipments}


@pytest.fixture
def make_many(make_bridge):
    """A live shop with boxes that are ready to go."""

    def make(adapter, **switches):
        bridge = make_bridge(adapter)
        bridge.go_live()
        bridge.warehouse.world.log.clear()
        if switches:
            bridge.control("switches", **switches)
        return bridge, sell_many(bridge)

    return make


@pytest.mark.parametrize(("adapter", "reads"), [("cartrover", 0), ("extensiv_3pl", 1), ("signed_webhook", 0)])
def test_boxes_that_were_never_sent_need_at_most_one_look_up_for_all(make_many, adapter, reads):
    bridge, shipments = make_many(adapter)

    bridge.run("deliver")

    assert list_states(bridge, shipments) == {"at_warehouse"}
    assert (len(list_reads(bridge)), len(bridge.sent())) == (reads, BOXES)


def test_a_tenant_that_refuses_the_list_is_asked_one_by_one_and_not_for_the_list_again(make_many):
    bridge, shipments = make_many("extensiv_3pl", allows_rql_in=False)
    bridge.run("deliver")
    shipments += sell_many(bridge)
    bridge.run("deliver")

    assert list_states(bridge, shipments) == {"at_warehouse"}
    assert len(list_reads(bridge)) == 1 + 2 * BOXES


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_another_order_of_a_number_is_held_and_the_boxes_beside_it_go_out(make_many, adapter):
    bridge, shipments = make_many(adapter)
    channel = {"extensiv_3pl": "3pl", "signed_webhook": "generic"}.get(adapter, adapter)
    taken = bridge.box(shipments[2]).order_number
    bridge.control("orders", order_number=taken, channel=channel, lines=[{"sku": "OTHER", "quantity": 2}])

    bridge.run("deliver")  # of the signed web hook's order nothing is shown that could be compared

    assert bridge.state(shipments[2]) == "held(conflict)"
    assert list_states(bridge, shipments[:2] + shipments[3:]) == {"at_warehouse"}
    assert len(bridge.sent()) == BOXES


def test_boxes_that_a_restored_ledger_has_forgotten_are_not_sent_again(make_many):
    """The warehouse would take a second order of a number: only the look-up keeps it from that."""
    bridge, shipments = make_many("extensiv_3pl", refuse_duplicates=False)
    bridge.run("deliver")
    with writing(bridge.engine) as conn:
        conn.execute(update(FulfilmentOrder).values(state="ready", may_exist=False, sent_at=None, external_id=None))

    bridge.run("deliver")

    assert list_states(bridge, shipments) == {"at_warehouse"}
    assert len(bridge.sent()) == BOXES


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("point", ["before", "after"])
def test_a_worker_that_is_killed_among_several_boxes_leaves_one_order_of_each(make_many, adapter, point):
    bridge, shipments = make_many(adapter)
    bridge.kill(point, "create", lane="deliver")

    for _ in range(5):
        bridge.wait(6 * MINUTE)

    assert list_states(bridge, shipments) == {"at_warehouse"}
    assert len(bridge.sent()) == BOXES


@pytest.mark.parametrize("answer", [RateLimited(3.0, doubles=True), Retryable("answered 503")])
def test_trouble_that_several_calls_meet_at_once_counts_once(bridge, answer):
    site = open_site(bridge.context, bridge.store_id)

    for _ in range(4):
        with writing(bridge.engine) as conn:
            assert note_trouble(conn, site, answer)

    with reading(bridge.engine) as conn:
        assert get_warehouse(conn, bridge.store_id).failures == 1


def test_a_warehouse_that_has_had_trouble_is_asked_before_it_is_given_another_box(make_many):
    bridge, shipments = make_many("cartrover")
    bridge.fault(match="/cartrover", status=503, times=None)
    bridge.run("deliver")
    doubtful = {shipment for shipment in shipments if bridge.state(shipment) == "unknown"}
    bridge.skip(30)  # before they are due again
    bridge.run("deliver")

    assert {shipment for shipment in shipments if bridge.state(shipment) == "unknown"} == doubtful
    assert len(doubtful) < BOXES
