"""Celery's settings agree with the tasks and queues there are."""

from __future__ import annotations

import pytest
from celery.app.utils import filter_hidden_settings
from redis.connection import parse_url

from pipeline.inbox.chain_lease import MAX_SWEEP_AGE_MS, PARKED_TTL_MS
from pipeline.settings import Settings
from tasks.app import app
from tasks.chain import LINKS
from tasks.config import (
    BACKFILL,
    DELIVERIES,
    FULFILMENT,
    HOOKS,
    PERIODIC_TASKS,
    WOKEN_SWEEPS,
    celery_config,
    kombu_url,
    sweep_expiry_s,
)
from tasks.deliveries import MAX_RUN_S


def ours():
    return {name for name in app.tasks if not name.startswith(("celery.", "test."))}


def test_every_sweep_is_a_task_of_ours():
    assert PERIODIC_TASKS.keys() | WOKEN_SWEEPS.keys() <= ours()


def test_every_link_is_a_task_of_ours():
    assert {name for name, _ in LINKS} <= ours()


def test_the_name_of_a_task_begins_with_its_module():
    assert [name for name in ours() if app.tasks[name].__module__ != f"tasks.{name.split('.')[0]}"] == []


def test_live_work_and_backfill_have_queues_of_their_own():
    assert set(app.conf.task_queues) == {HOOKS, DELIVERIES, BACKFILL, FULFILMENT}


def test_no_live_task_goes_to_the_queue_of_backfills():
    sweeps = {name: queue for name, (queue, _) in WOKEN_SWEEPS.items()}

    assert {queue for _, queue in LINKS} == {HOOKS, DELIVERIES}
    assert (sweeps["hooks.sweep"], sweeps["deliveries.sweep"]) == (HOOKS, DELIVERIES)


def route(name: str) -> str:
    """Return the queue of this task's messages if the sender names none."""
    return app.amqp.router.route({}, name)["queue"].name


def test_only_the_links_of_the_chain_go_to_the_queue_of_live_hooks():
    """Among all that are registered, Celery's own too; sent by hand, with `celery call` or flower's buttons."""
    astray = {name for name in app.tasks if route(name) == HOOKS} - {"hooks.sweep", *(name for name, _ in LINKS)}

    assert astray == set()


def test_what_may_take_long_goes_to_the_queue_of_backfills():
    assert {name for name in app.tasks if route(name) == BACKFILL} == {
        "backfills.step",
        "lookups.ask",
        "lookups.run",
        "people.sweep",
        "reconciliation.run",
        "registration.tend",
        "rehearsals.run",
        "replays.run",
        "stores.remove",
    }


def test_the_fulfilment_has_a_queue_of_its_own():
    assert {name for name in app.tasks if route(name) == FULFILMENT} == {
        "fulfilment.confirm",
        "fulfilment.deliver",
        "fulfilment.look_at",
        "fulfilment.poll_tracking",
        "fulfilment.pull_cancels",
        "fulfilment.pull_shipments",
        "fulfilment.work",
    }


def test_the_routes_agree_with_the_schedule_and_the_chain():
    sent = {name: queue for name, (queue, _) in (PERIODIC_TASKS | WOKEN_SWEEPS).items()} | dict(LINKS)

    assert {name: route(name) for name in sent} == sent


def test_an_unknown_task_goes_to_the_deliveries():
    assert route("hunting.begin") == DELIVERIES


def test_a_sweep_that_is_not_taken_expires(installed):
    schedule = celery_config(installed.process.settings)["beat_schedule"]

    assert schedule.keys() == PERIODIC_TASKS.keys()
    assert all(row["options"]["expires"] > row["schedule"] for row in schedule.values())


def test_no_sweep_is_older_than_a_link_it_calls_lost():
    assert sweep_expiry_s(WOKEN_SWEEPS["hooks.sweep"][1]) * 1000 <= MAX_SWEEP_AGE_MS


@pytest.mark.parametrize(
    "redis", ["redis://:s3c%2Fret@host:6379/0", "rediss://me:s3c%2Fret@host/1", "unix://:s3c%2Fret@/a/b"]
)
def test_no_password_is_in_what_flower_shows_of_the_settings(redis, tmp_path):
    variables = {
        "REDIS_URL": redis,
        "CRATEWIRE_BROKER_URL": "amqp://me:rabb1t@host/",
        "CRATEWIRE_DATA_DIR": str(tmp_path),
    }
    config = celery_config(Settings.from_environment(variables))
    shown = str(filter_hidden_settings(config))

    assert "s3c" not in shown
    assert "rabb1t" not in shown
    assert parse_url(redis) == parse_url(config["redbeat_redis_url"]) | {"password": "s3c/ret"}
    assert config["redbeat_redis_options"]["password"] == "s3c/ret"


@pytest.mark.parametrize("scheme", ["redis+sentinel", "rediss+sentinel"])
def test_sentinels_are_named_as_kombu_and_redbeat_name_them(scheme, tmp_path):
    url = f"{scheme}://me:s3c%2Fret@one:1,two:2/shop/3?sentinel_password=gu4rd"
    variables = {"REDIS_URL": url, "CRATEWIRE_DATA_DIR": str(tmp_path)}
    config = celery_config(Settings.from_environment(variables))
    broker, redbeat = config["broker_transport_options"], config["redbeat_redis_options"]
    shown = str(filter_hidden_settings(config))

    assert config["broker_url"] == "sentinel://me:s3c%2Fret@one:1/3;sentinel://me:s3c%2Fret@two:2/3"
    assert (broker["master_name"], broker["sentinel_kwargs"]["password"]) == ("shop", "gu4rd")
    assert (redbeat["service_name"], redbeat["sentinels"]) == ("shop", [["one", 1], ["two", 2]])
    assert (redbeat["password"], redbeat["db"], redbeat["username"]) == ("s3c/ret", 3, "me")
    assert ("broker_use_ssl" in config) == ("redbeat_redis_use_ssl" in config) == (scheme == "rediss+sentinel")
    assert "s3c" not in shown
    assert "gu4rd" not in shown


def test_only_json_is_accepted():
    assert (app.conf.accept_content, app.conf.task_serializer) == (["json"], "json")


@pytest.mark.parametrize(
    ("ours", "kombus"),
    [
        ("unix:///srv/var/valkey.sock", "redis+socket:///srv/var/valkey.sock"),
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("amqp://rabbit/", "amqp://rabbit/"),
    ],
)
def test_a_broker_is_named_as_kombu_names_it(ours, kombus):
    assert kombu_url(ours) == kombus


def test_the_chain_lease_outlasts_a_lane_that_has_the_only_worker():
    a_send = 45  # seconds, of two hundred messages to a slow platform: several calls, each just within its time
    in_turn = 2  # one at work, one already taken from the broker

    assert in_turn * (MAX_RUN_S + a_send) * 1000 < PARKED_TTL_MS
