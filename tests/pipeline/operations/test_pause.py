"""A connection whose platform has taken nothing for days is switched off, if the platform says after how many."""

from __future__ import annotations

import fakeredis
import pytest
from sqlalchemy import insert

from pipeline.ledger.connections import find_connection
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema.core import Lane
from pipeline.operations.pause import SWITCHED_OFF, claim_due_retries, is_paused_by_platform, switch_off_failing
from tests.contexts import make_context
from tests.pipeline.ledger.rows import NOW, add_connection, add_store

DAY = 86_400_000_000


@pytest.fixture
def context(engine):
    return make_context(engine, fakeredis.FakeRedis(), lambda: NOW)


def connect(context, platform, *failing_days):
    with writing(context.engine) as conn:
        link = add_connection(conn, add_store(conn).id, platform=platform)
        for lane, days in enumerate(failing_days):
            since = None if days is None else round(NOW - days * DAY)
            row = {"connection_id": link.id, "lane": lane, "token": 1, "taken_at": NOW, "failing_since": since}
            conn.execute(insert(Lane).values(**row, reason="no answer"))
    return link.id


def find(context, connection_id):
    with reading(context.engine) as conn:
        return find_connection(conn, connection_id)


@pytest.mark.parametrize(("days", "status"), [(4.99, "active"), (5, "paused"), (None, "active")])
def test_a_web_hook_is_switched_off_after_five_days_without_success(context, days, status):
    connection = connect(context, "webhook", days)

    switched_off = switch_off_failing(context)

    assert (find(context, connection).status, switched_off) == (status, [connection] if status == "paused" else [])


def test_a_platform_that_names_no_time_is_never_switched_off(context):
    connection = connect(context, "customerio", 400)

    assert switch_off_failing(context) == []
    assert find(context, connection).status == "active"


def test_a_lane_that_fails_longest_decides(context):
    connection = connect(context, "webhook", None, 1, 6)

    assert switch_off_failing(context) == [connection]


def test_a_connection_that_was_switched_off_waits_for_a_person_who_sees_why(context):
    connection = connect(context, "webhook", 6)
    switch_off_failing(context)
    reason = find(context, connection).status_reason

    assert reason == f"{SWITCHED_OFF} after 5 days without success; the last try: no answer"
    assert is_paused_by_platform(reason)
    assert claim_due_retries(context) == []


def test_a_platform_that_this_release_does_not_know_keeps_no_other_from_being_looked_at(context):
    connect(context, "of-a-later-release", 400)
    connection = connect(context, "webhook", 6)

    assert switch_off_failing(context) == [connection]
