"""Which boxes of the demo are due: its own, at every time of the year, and none of the simulated life beside them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.fulfilment.rules.due_dates import find_due_date
from pipeline.fulfilment.rules.reading import read_shipment
from pipeline.fulfilment.settings_json import change_settings
from pipeline.fulfilment.stored_settings import load_settings
from receiver.demo.boxes import build_settings, plan_sales
from receiver.demo.calls import call_sandbox
from sandbox.store.server import RunningStore, run_in_thread
from sandbox.store.world import Options
from tests.waiting import wait_until

HOUR, DEMO = timedelta(hours=1), timedelta(minutes=10)
LAST_MINUTES = ["2026-03-01T00:00:20", "2026-12-31T23:59:40"]


def list_boxes(store: RunningStore, now: datetime, *, unshipped: bool) -> dict[int, tuple[int, int]]:
    """Shipment -> (when it should leave, from when it may go), in µs, as the demo's warehouse is set up."""
    settings, state = load_settings(change_settings({}, build_settings(now))), store.world.state
    found = {}
    for row in state.rows("shipments"):
        if unshipped and row["status"] != "unshipped":
            continue
        batch = state.get("shipment_batches", row["_batch_id"]) if row["_batch_id"] else None
        body = {"id": row["id"], "status": "unshipped", "adjusted_ordered_at": row["adjusted_ordered_at"]}
        shipment = read_shipment(body | {"batch": batch})
        due = find_due_date(shipment, "standard" if batch else "adhoc", settings)
        found[row["id"]] = (due.target_at, due.due_at)
    return found


def microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


@pytest.mark.parametrize("begun", LAST_MINUTES)
def test_no_box_of_the_simulation_becomes_due_while_the_demo_runs_and_its_own_are(begun):
    now = datetime.fromisoformat(begun).replace(tzinfo=UTC)
    started, ended = microseconds(now), microseconds(now + DEMO)
    earliest = load_settings(change_settings({}, build_settings(now))).earliest_order_at
    with run_in_thread(Options("an-id", "a-secret", start=(now - HOUR).isoformat())) as store:
        control = f"{store.url}/_sandbox"
        call_sandbox(f"{control}/customers", {"count": 24})
        life = list_boxes(store, now, unshipped=True)
        sold = [call_sandbox(f"{control}/sales", sale)["sales"] for sale in plan_sales(now).values()]
        own = {one["shipment_ids"][0] for sales in sold for one in sales}
        later = {number for sales in sold for one in sales for number in one["shipment_ids"][1:]}
        before = set(list_boxes(store, now, unshipped=False))
        call_sandbox(f"{control}/clock", {"now": (now + timedelta(minutes=2)).isoformat()})
        call_sandbox(f"{control}/life", {"hooks": 60, "seed": 1})
        wait_until(lambda: not call_sandbox(f"{control}/life")["running"])
        boxes = list_boxes(store, now, unshipped=False)

    others = (set(life) | (set(boxes) - before) | later) - own
    assert others
    assert [number for number in others if boxes[number][1] <= ended] == []
    assert [number for number in own if not earliest <= boxes[number][0] or boxes[number][1] > started] == []
