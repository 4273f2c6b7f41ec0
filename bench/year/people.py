"""What people of ours do: they decide about the boxes that wait for them, having asked both sides."""

from __future__ import annotations

from contextlib import suppress

from bench.year.hands import Hands
from bench.year.plan import Step
from bench.year.truth import FOR_PEOPLE, list_boxes
from pipeline.core.errors import Misconfigured
from pipeline.core.fulfilment import State
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.orders import OrderRow


class People(Hands):
    """Those who look at the attention list."""

    def nothing(self, _: Step) -> None:
        """A quiet day."""

    def attend(self, _: Step) -> None:
        """A person works through what waits for one."""
        self.attend_all()

    def attend_all(self) -> int:
        """Decide about each box that waits for a person; returns how many were decided about."""
        year = self.year
        self.resume()
        with reading(year.engine) as conn:
            rows = list_boxes(conn, year.store_id, FOR_PEOPLE)
        return sum(self._decide(row) for row in rows)

    def _decide(self, row: OrderRow) -> bool:
        """What a careful person does, who asks the warehouse and looks at Cratejoy first."""
        found = self.year.floor.floor.latest(self.truth.channel, row.order_number)
        is_there = found is not None and found.is_live
        is_wanted = self.year.store.state.get("shipments", row.shipment_id)["status"] == "unshipped"
        word = _CURES.get((row.state, row.reason or "")) or _CURES.get((row.state, ""))
        if word == "resend_or_sent":
            word = "mark_sent" if is_there else "resend"
        if word == "resend" and (not is_wanted or is_there):
            word = "ignore" if row.state is State.CANCELLED_AT_WAREHOUSE else None
        if word is None:
            return False
        requests = self.year.requests()
        with suppress(Misconfigured):
            if word == "resend":
                requests.resend(row.order_number)
            else:
                requests.decide(row.order_number, word)
            self.truth.decided(row, word)
            return True
        return False


_CURES: dict[tuple[State, str], str] = {
    (State.HELD, "uncancelled"): "resend",
    (State.HELD, "outcome_unknown"): "resend_or_sent",
    (State.HELD, "conflict"): "resend_or_sent",
    (State.HELD, "rejected_by_warehouse"): "retry",
    (State.HELD, "subscription_not_active"): "release",
    (State.FAILED, ""): "retry",
    (State.CANCELLED_AT_WAREHOUSE, ""): "resend",
    (State.SHIPPED_AFTER_CANCEL, ""): "ignore",
    (State.EXTERNALLY_SHIPPED, ""): "ignore",
}
