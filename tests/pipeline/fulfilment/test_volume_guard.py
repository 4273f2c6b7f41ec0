"""The volume guard in the ledger: what it stops, and who lets it pass."""

from __future__ import annotations

from sqlalchemy import update

from pipeline.core.fulfilment import State
from pipeline.fulfilment.set_up import go_live, resume
from pipeline.fulfilment.site import open_site
from pipeline.fulfilment.steps.volume import guard_volume
from pipeline.ledger.engine import writing
from pipeline.ledger.fulfilment.orders import NewOrder, insert_order
from pipeline.ledger.schema.fulfilment import FulfilmentOrder

MANY = 101


def load(bridge, count, *, first=1, **columns):
    """Boxes that a search has just found, as after the ledger was lost."""
    with writing(bridge.engine) as conn:
        for number in range(first, first + count):
            new = NewOrder(bridge.store_id, number, f"SUB-{number}", "subscription", "adhoc", State.READY)
            insert_order(conn, new, bridge.clock(), **columns)


def test_a_second_load_of_everything_is_stopped_before_the_first_box_goes(bridge):
    bridge.skip(60)
    load(bridge, MANY)
    bridge.run("deliver")

    assert "101 boxes" in bridge.is_paused()
    assert bridge.sent() == []


def may_go(bridge):
    return guard_volume(open_site(bridge.context, bridge.store_id))


def test_boxes_that_the_accepted_report_had_are_no_surprise(make_bridge):
    bridge = make_bridge()
    bridge.settle()
    load(bridge, MANY)
    go_live(bridge.context, bridge.store_id, MANY)

    assert may_go(bridge)


def test_a_batch_that_was_known_for_long_goes_out_in_a_day_and_a_second_load_of_it_does_not(bridge):
    due_at = bridge.clock() + 3_600_000_000
    load(bridge, MANY, batch_id=5, due_at=due_at)
    bridge.skip(2 * 3_600)
    first = may_go(bridge)
    with writing(bridge.engine) as conn:
        conn.execute(update(FulfilmentOrder).values(state=State.AT_WAREHOUSE, sent_at=bridge.clock()))
    load(bridge, MANY, first=MANY + 1, batch_id=5, due_at=due_at)
    bridge.skip(2 * 3_600)  # the warehouse did not answer meanwhile
    bridge.run("deliver")

    assert (first, bridge.sent()) == (True, [])
    assert "202 boxes of batch 5" in bridge.is_paused()


def test_a_person_who_resumes_the_warehouse_lets_the_boxes_pass(bridge):
    bridge.skip(60)
    load(bridge, MANY)
    stopped = may_go(bridge)
    resume(bridge.context, bridge.store_id)

    assert (stopped, may_go(bridge), bridge.is_paused()) == (False, True, None)
