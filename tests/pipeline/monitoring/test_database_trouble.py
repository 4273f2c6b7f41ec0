"""What tasks say of the database is known while they say it, and for a minute longer."""

from __future__ import annotations

import pytest

from pipeline.infra import redis_keys
from pipeline.ledger.faults import DatabaseFault
from pipeline.monitoring.database_trouble import TROUBLE_TTL_S, get_reported_trouble, report_trouble

FULL = DatabaseFault("53100", "the disk is full", "Make room.")
LOCKED = DatabaseFault("55P03", "locked", "Find what holds it.")


def test_without_trouble_there_is_nothing_to_say(redis_client):
    assert get_reported_trouble(redis_client) is None


def test_the_last_trouble_is_named_with_the_task_and_since_when_there_is_any(redis_client):
    report_trouble(redis_client, FULL, "hooks.fan_out", 5)
    report_trouble(redis_client, LOCKED, "backfills.step", 9)

    found = get_reported_trouble(redis_client)

    assert (found.code, found.says, found.advice) == ("55P03", "locked", "Find what holds it.")
    assert (found.task, found.since) == ("backfills.step", 5)


def test_what_is_not_said_again_is_over(redis_client):
    report_trouble(redis_client, FULL, "hooks.fan_out", 5)

    assert redis_client.ttl(redis_keys.LEDGER_TROUBLE) == pytest.approx(TROUBLE_TTL_S, abs=5)
