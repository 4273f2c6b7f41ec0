"""The attention sweep, and the automatic retry of saved keys."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from pipeline.infra import redis_keys
from pipeline.ledger.deliveries import pause_connection
from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from pipeline.ledger.schema.monitoring import Alarm
from pipeline.operations.pause import MANUAL_PAUSE
from tasks import attention
from tests.contracts.fake_track import fake_track
from tests.tasks.inline_worker import run_all, take_all_messages


@pytest.fixture
def track():
    with fake_track() as track:
        yield track


def refuse(installed, track, reason="the credentials were refused (401)", **config):
    connection = installed.connect({**track.config, **config})
    with writing(installed.process.engine) as conn:
        conn.execute(update(core.StoreConnection).values(account="3"))  # as the fake calls it
        pause_connection(conn, connection, reason, installed.process.now())
    return connection


def statuses(installed):
    return [row.status for row in installed.rows(core.StoreConnection)]


def test_a_connection_goes_on_by_itself_once_its_platform_takes_the_keys(installed, track):
    refuse(installed, track)
    attention.sweep()
    opened = [row.kind for row in installed.rows(Alarm)]
    run_all("deliveries")
    attention.sweep()

    assert (opened, statuses(installed)) == (["platform_keys_refused"], ["active"])
    assert all(row.ended_at for row in installed.rows(Alarm))


def test_a_connection_whose_keys_are_still_refused_stays_paused_and_says_that_they_were_tried(installed, track):
    refuse(installed, track, api_key="wrong")
    attention.sweep()
    run_all("deliveries")
    attention.sweep()

    [alarm] = installed.rows(Alarm)
    assert (statuses(installed), alarm.ended_at) == (["paused"], None)
    assert alarm.tried[0].startswith("The saved keys are tried again every five minutes, last at ")


def test_keys_are_tried_again_once_in_five_minutes(installed, track):
    connection = refuse(installed, track)
    attention.sweep()
    first = take_all_messages("deliveries")
    attention.sweep()

    assert (len(first), take_all_messages("deliveries")) == (1, [])
    assert 0 < installed.process.redis.ttl(redis_keys.credential_retry(connection)) <= 300


def test_what_was_paused_by_hand_is_left_alone(installed, track):
    refuse(installed, track, reason=MANUAL_PAUSE)
    attention.sweep()

    assert take_all_messages("deliveries") == []


def test_two_sweeps_do_not_run_at_once(installed, track):
    refuse(installed, track)
    installed.process.redis.set(redis_keys.MONITORING_LEASE, "another")
    attention.sweep()

    assert installed.rows(Alarm) == []
