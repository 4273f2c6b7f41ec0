"""The clock was wrong, and is set back: what was written down in the meantime lies in the future."""

from __future__ import annotations

from pipeline.core.fulfilment import State
from pipeline.fulfilment.rules.decision.decide import decide
from pipeline.fulfilment.rules.decision.words import Action, Policy, Seen, Standing
from tests.pipeline.fulfilment.bridge import DAY

SECOND_US = 1_000_000
AHEAD_US = 30 * DAY * SECOND_US  # of our clock; the store's is right


def test_boxes_are_searched_for_after_the_clock_was_set_back(bridge):
    bridge.clock.now += AHEAD_US
    bridge.settle(except_for=("deliver",))
    bridge.clock.now -= AHEAD_US

    shipment = bridge.sell()
    bridge.settle(except_for=("deliver",))

    assert bridge.state(shipment) == "ready"


def test_a_box_whose_worker_was_killed_before_the_clock_was_set_back_is_looked_up(bridge):
    shipment = bridge.sell()
    bridge.clock.now += AHEAD_US
    bridge.run("pull_adhoc")
    bridge.kill("before", "create", lane="deliver")
    bridge.clock.now -= AHEAD_US

    bridge.settle()

    assert "stuck" in bridge.events(shipment)


def test_two_misses_at_once_are_not_two_because_the_clock_was_set_back():
    now = 1_000 * SECOND_US
    missed = Standing(State.UNKNOWN, may_exist=True, missed_at=now + 3_600 * SECOND_US)

    decision = decide(missed, Seen.NOT_FOUND, Policy(), now)

    assert (decision.state, decision.action, decision.missed_at) == (State.UNKNOWN, Action.NONE, now)
