"""Which alarms are listed, and in which order."""

from __future__ import annotations

import pytest

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.monitoring.alarms import end_alarms, list_ended_alarms, list_open_alarms, open_alarm
from pipeline.ledger.monitoring.rows import ENDPOINT, NewAlarm
from tests.pipeline.ledger.rows import NOW, add_store

ENDED = (("early", 1, 3), (ENDPOINT, None, 4), ("theirs", 2, 5), ("late", 1, 2), ("disk", None, 1))


@pytest.fixture
def ended(shop):
    """Alarms of two stores and of none, in the order in which they began; each with when it ended."""
    with writing(shop.engine) as conn:
        add_store(conn, "moon-box")
        for kind, store_id, _ in ENDED:
            open_alarm(conn, NewAlarm(kind, store_id), NOW)
        for alarm in list_open_alarms(conn):
            at = next(at for kind, _, at in ENDED if kind == alarm.kind)
            end_alarms(conn, [alarm.id], NOW + at)
    return shop


@pytest.mark.parametrize(
    ("common_kinds", "kinds"),
    [([], ["early", "late"]), ([ENDPOINT], [ENDPOINT, "early"]), (None, [ENDPOINT, "early"])],
)
def test_the_last_to_end_come_first_and_those_of_other_stores_take_no_place(ended, common_kinds, kinds):
    with reading(ended.engine) as conn:
        found = list_ended_alarms(conn, NOW, 2, [1], common_kinds)

    assert [row.kind for row in found] == kinds
