"""One box and a warehouse that takes two orders under one number if it is asked: it never is, whatever goes wrong.

One that refuses a second order of the number is asked for the first without a look-up.

The worker of this test does what the steps do: decide, commit, call, decide. It is killed, and loses answers;
the warehouse shows a new order only some minutes later; the shop cancels and un-cancels.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.fulfilment import State
from pipeline.fulfilment.rules.decision.decide import decide
from pipeline.fulfilment.rules.decision.words import NEVER_SEEN, Action, Policy, Seen, Standing

MINUTE_US = 60_000_000
SHOWN_AFTER_US = 4 * MINUTE_US  # the warehouse is slow, but not slower than two looks five minutes apart
STUCK_AFTER_US = 10 * MINUTE_US


class Warehouse:
    def __init__(self):
        self.created_at, self.is_cancelled, self.creates = None, False, 0

    def create(self, now):
        self.creates += 1
        self.created_at = now

    def find(self, now):
        if self.created_at is None or now - self.created_at < SHOWN_AFTER_US:
            return Seen.NOT_FOUND
        return Seen.FOUND_CANCELLED if self.is_cancelled else Seen.FOUND


class Killed(Exception):
    pass


class Box:
    """One row of the ledger with its worker. `luck` draws what goes wrong, and nothing once it is empty."""

    def __init__(self, policy, luck):
        self.policy, self.luck, self.warehouse = policy, luck, Warehouse()
        self.standing, self.now, self.changed_at = NEVER_SEEN, 0, 0

    def draw(self, *outcomes):
        return outcomes[self.luck.pop() % len(outcomes)] if self.luck else outcomes[0]

    def see(self, seen):
        decision = decide(self.standing, seen, self.policy, self.now, "not_due")
        self.changed_at = self.now if decision.state is not self.standing.state else self.changed_at
        self.standing = Standing(
            decision.state, decision.reason, decision.may_exist, decision.is_cancel_wanted, decision.missed_at
        )
        return decision.action

    def work(self, shop):
        """One turn of the worker, at the shipment as the shop has it."""
        state = self.standing.state
        try:
            if state is State.SENDING and self.now - self.changed_at >= STUCK_AFTER_US:
                self.call(self.see(Seen.STUCK))
            elif state is State.UNKNOWN:
                self.call(self.see(Seen.TURN))
            elif state is State.CANCEL_REQUESTED:
                self.call(Action.LOOK_UP)
            elif state is not State.SENDING:
                self.call(self.see(shop))
                if self.standing.state is State.READY:
                    self.call(self.see(Seen.TURN))
        except Killed:
            pass

    def call(self, action):
        calls = {Action.LOOK_UP: self.look_up, Action.CREATE: self.create, Action.ASK_CANCEL: self.ask_cancel}
        while action in calls:
            action = self.see(calls[action]())

    def look_up(self):
        match self.draw("answer", "not_done", "killed"):
            case "not_done":
                return Seen.NOT_DONE
            case "killed":
                raise Killed
        return self.warehouse.find(self.now)

    def create(self):
        if self.policy.refuses_duplicates and self.warehouse.created_at is not None:
            return Seen.EXISTS
        outcome = self.draw("created", "lost_before", "lost_after", "not_done", "killed_before", "killed_after")
        if outcome == "not_done":
            return Seen.NOT_DONE
        if outcome in {"created", "lost_after", "killed_after"}:
            self.warehouse.create(self.now)
        if outcome.startswith("killed"):
            raise Killed
        return Seen.CREATED if outcome == "created" else Seen.OUTCOME_UNKNOWN

    def ask_cancel(self):
        outcome = self.draw("done", "refused", "lost_before", "lost_after", "killed_after")
        if self.warehouse.find(self.now) is Seen.NOT_FOUND:
            return Seen.NOT_FOUND
        if outcome in {"done", "lost_after", "killed_after"}:
            self.warehouse.is_cancelled = True
        if outcome == "killed_after":
            raise Killed
        return {"done": Seen.CANCEL_DONE, "refused": Seen.CANCEL_REFUSED}.get(outcome, Seen.CANCEL_UNKNOWN)


@settings(max_examples=100)
@given(
    luck=st.lists(st.integers(0, 29), max_size=25),
    turns=st.lists(st.tuples(st.sampled_from([0, 1, 2, 5, 6, 11]), st.integers(0, 5)), max_size=25),
    is_cancelled_last=st.booleans(),
    looks_up_first=st.booleans(),
    refuses_duplicates=st.booleans(),
)
def test_a_box_is_created_once_and_ends_as_the_shop_wants(
    luck, turns, is_cancelled_last, looks_up_first, refuses_duplicates
):
    box = Box(Policy(looks_up_first=looks_up_first, refuses_duplicates=refuses_duplicates), luck)

    for minutes, number in turns:
        box.now += minutes * MINUTE_US
        box.work(Seen.CANCELLED if number == 0 else Seen.DUE)
        assert box.warehouse.creates <= 1
    box.luck.clear()
    for _ in range(12):  # nothing goes wrong any more
        box.now += 11 * MINUTE_US
        box.work(Seen.CANCELLED if is_cancelled_last else Seen.DUE)

    assert box.warehouse.creates <= 1
    there = box.warehouse.created_at is not None and not box.warehouse.is_cancelled
    ends = {(State.CANCELLED, False), (State.CANCEL_REFUSED, True), (State.SKIPPED, False)}
    if not is_cancelled_last:
        # Cancelled there and wanted again: a person decides about a new number.
        ends = {(State.AT_WAREHOUSE, True), (State.HELD, False)}
    if is_cancelled_last and box.standing.state is State.HELD:
        assert box.standing.reason == "uncancelled"
    else:
        assert (box.standing.state, there) in ends
