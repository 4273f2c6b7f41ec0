"""The three lists that are empty in a healthy shop: a box stays in its list while it is tried again and again."""

from __future__ import annotations

from pipeline.core.fulfilment import State
from pipeline.ledger.engine import writing
from pipeline.ledger.fulfilment.orders import NewOrder, insert_order
from pipeline.ledger.queries.fulfilment import count_late_boxes, list_late_boxes
from tests.pipeline.ledger.rows import NOW

HOUR = 3_600_000_000
SINCE = NOW - 3 * HOUR
DUE = {"due_at": SINCE}
LEFT = {"due_at": SINCE, "shipped_at": SINCE}
RETRIED = {"trying_since": SINCE, "next_attempt_at": NOW + HOUR}
WAITS = {"next_attempt_at": SINCE}
UNSENT, UNSAID = "paid_not_sent", "shipped_customer_not_informed"
BOXES = (
    (UNSENT, State.READY, None, SINCE, DUE),
    (UNSENT, State.READY, None, NOW, DUE | RETRIED),
    (UNSENT, State.UNKNOWN, None, NOW, DUE | RETRIED),
    (UNSENT, State.DISCOVERED, "not_due", SINCE, DUE | WAITS),
    (UNSENT, State.DISCOVERED, "cooling_off", SINCE, DUE | WAITS),
    (UNSENT, State.FAILED, "delivery_failed", NOW, DUE),
    (UNSENT, State.CANCELLED_AT_WAREHOUSE, "cancelled_by_warehouse", SINCE, DUE),
    (UNSAID, State.SHIPPED, None, SINCE, LEFT | WAITS),
    (UNSAID, State.SHIPPED, None, NOW, LEFT | RETRIED),
    (UNSAID, State.FAILED, "confirm_failed", NOW, LEFT),
    ("", State.READY, None, NOW, DUE),
    ("", State.READY, None, SINCE, {"due_at": NOW}),
    ("", State.DISCOVERED, "cooling_off", SINCE, DUE | {"next_attempt_at": NOW}),
    ("", State.FAILED, "seen_by_person", SINCE, DUE),
    ("", State.CANCELLED_AT_WAREHOUSE, "seen_by_person", SINCE, DUE),
    ("", State.SHIPPED, None, SINCE, LEFT | {"next_attempt_at": NOW + HOUR}),
)


def test_a_box_is_in_the_list_that_says_what_is_late_about_it(shop):
    with writing(shop.engine) as conn:
        for number, (_, state, reason, state_at, columns) in enumerate(BOXES):
            new = NewOrder(shop.store.id, number, f"SUB-{number}", "subscription", "adhoc", state, reason)
            insert_order(conn, new, state_at, **columns)
        late = list_late_boxes(conn, shop.store.id, NOW, 5)
        counts = count_late_boxes(conn, shop.store.id, NOW, 5)

    assert counts == {name: len(getattr(late, name)) for name in late.__slots__}
    shown = {line.shipment_id: name for name in late.__slots__ for line in getattr(late, name)}
    assert [shown.get(number, "") for number in range(len(BOXES))] == [name for name, *_ in BOXES]
