from __future__ import annotations

from pipeline.ledger.faults import DatabaseFault
from pipeline.monitoring.database_trouble import report_trouble
from tests.pipeline.attention.conftest import MINUTE

FULL = DatabaseFault("53100", "the database's disk is full", "Make room on it.")


def test_a_database_that_tasks_fail_of_for_a_minute_needs_a_person(desk):
    report_trouble(desk.redis, FULL, "hooks.fan_out", desk.clock - MINUTE)

    (item,) = desk.list()

    assert (item.cause, item.headline, item.to_do) == (
        "database_trouble",
        "the database's disk is full (53100)",
        "Make room on it.",
    )


def test_a_short_trouble_needs_nobody(desk):
    report_trouble(desk.redis, FULL, "hooks.fan_out", desk.clock - MINUTE // 2)

    assert desk.list() == []
