"""What only many boxes show: lists of several parts, within the warehouse's rate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.warehouse_configs import build_config
from pipeline.fulfilment.site import MAX_TURN_WAIT_S, CallLog, open_adapter, open_site, take_turn
from pipeline.fulfilment.steps.tracking import poll_tracking
from pipeline.infra import redis_keys
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.warehouses import get_warehouse
from pipeline.warehouses import WAREHOUSES

SPACED_PER_S = 7.5  # a budget spaces such calls, as it does those of Integration Manager


class Budget:
    """Has no call for so many questions, each time for so long."""

    def __init__(self, refusals: int, wait_s: float) -> None:
        self.refusals, self.wait_s = refusals, wait_s

    def acquire(self) -> float:
        self.refusals -= 1
        return self.wait_s if self.refusals >= 0 else 0.0


@pytest.mark.parametrize(
    ("refusals", "wait_s", "slept", "left_s"),
    [
        (0, 0.6, [], 0.0),
        (2, 0.6, [0.6, 0.6], 0.0),
        (9, 0.6, [0.6] * 3, 0.6),
        (1, MAX_TURN_WAIT_S + 0.1, [], MAX_TURN_WAIT_S + 0.1),
    ],
)
def test_a_call_waits_for_its_turn_only_a_moment(refusals, wait_s, slept, left_s):
    waits: list[float] = []
    budget: Any = Budget(refusals, wait_s)

    assert take_turn(budget, waits.append) == left_s
    assert waits == slept


def test_a_list_of_several_parts_is_read_to_its_end_within_the_rate(make_bridge, monkeypatch):
    bridge = make_bridge("cartrover")
    shipment = bridge.sell()
    bridge.go_live()
    bridge.ship(shipment)
    monkeypatch.setattr(WAREHOUSES["cartrover"], "calls_per_second", SPACED_PER_S)

    polled = bridge.run("tracking")

    assert polled.error is None
    assert bridge.state(shipment) == "shipped"


def test_two_stores_with_one_account_share_its_budget(bridge):
    with reading(bridge.engine) as conn:
        row = get_warehouse(conn, bridge.store_id)
    config = build_config("cartrover", bridge.warehouse.url)
    for store_id in (1, 2):
        open_adapter(bridge.context, replace(row, store_id=store_id), config, CallLog()).find("SUB-1")
    open_adapter(bridge.context, row, config | {"api_user": "another"}, CallLog()).find("SUB-1")

    windows = bridge.context.redis.keys(f"{redis_keys.budget('cartrover', '')}*:window")
    assert len(windows) == 2


@pytest.fixture
def many(make_bridge, monkeypatch):
    """A warehouse that is asked for one order in each part, and has shipped three."""
    monkeypatch.setattr("pipeline.warehouses.extensiv_3pl.tracking.NUMBERS_PER_CALL", 1)
    bridge = make_bridge("extensiv_3pl")
    shipments = [bridge.sell() for _ in range(3)]
    bridge.go_live()
    for shipment in shipments:
        bridge.ship(shipment)
    return bridge, shipments


def poll(bridge, max_run_us: int):
    return poll_tracking(open_site(bridge.context, bridge.store_id, open_warehouse=bridge._open), max_run_us)


def test_a_poll_that_runs_out_of_time_goes_on_where_it_ended(many):
    bridge, shipments = many

    polls = [poll(bridge, 0) for _ in range(3)]

    assert [polled.is_done for polled in polls] == [False, False, True]
    assert {bridge.state(shipment) for shipment in shipments} == {"shipped"}


def test_what_was_read_before_a_fault_is_taken_in(many):
    bridge, shipments = many
    bridge.fault(match="GET /3pl/orders", status=500, skip=1)

    polled = poll(bridge, 10**9)

    assert "Retryable" in polled.error
    assert [bridge.state(shipment) for shipment in shipments].count("shipped") == 1
