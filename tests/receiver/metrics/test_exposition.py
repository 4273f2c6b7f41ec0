"""The page for Prometheus: its content, and what is left out when a source is unavailable."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis
from sqlalchemy.exc import OperationalError

from pipeline.attention.item import AttentionItem
from pipeline.inbox import stream
from pipeline.inbox.entry import build_heartbeat
from pipeline.inbox.ingest import IngestStatus
from pipeline.infra import redis_keys
from pipeline.infra.metrics import REGISTRY
from pipeline.infra.rate_limit.budget import Budget
from pipeline.ledger.faults import DatabaseFault
from pipeline.ledger.monitoring.rows import AlarmRow
from pipeline.ledger.queries import Backlog, ChainStatus, ConnectionSummary, LaneBacklog, ReconciliationSummary
from pipeline.monitoring.database_trouble import report_trouble
from pipeline.monitoring.status import EndpointStatus, HookHealth
from receiver.metrics.collect import GAUGES, StoreStates
from receiver.metrics.exposition import MetricsPage, MetricsSources, blueprint
from receiver.metrics.fleet_totals import FleetTotals
from tests.receiver.hook_servers import send

SECOND = 1_000_000
NOW = 1_772_470_000 * SECOND
WIRES = (
    ConnectionSummary(1, "sunny-box", "customerio", "env-1", active=True, dead=2),
    ConnectionSummary(2, "moon-box", "customerio", "env-2", active=False, dead=0),
)
LANES = (
    LaneBacklog(1, 0, 7, NOW - 30 * SECOND, 0),
    LaneBacklog(1, 1, 3, NOW - 90 * SECOND, NOW + 15 * SECOND),
    LaneBacklog(2, 0, 1, NOW - 3600 * SECOND, 0),
)
SILENT = AlarmRow(
    id=1,
    kind="silence",
    store_id=1,
    store="sunny-box",
    account_id=1,
    event="",
    tried=(),
    **dict.fromkeys(("expected_us", "reason", "tried_at", "told_at", "ended_at", "closed_at")),
    last_at=NOW - 7200 * SECOND,
    since=NOW,
)
HEALTH = HookHealth(
    EndpointStatus(works=True, proven_at=NOW - 40 * SECOND, took_us=SECOND // 4),
    [SILENT, replace(SILENT, event="order_new")],
)
STORES = StoreStates(
    {}, [ReconciliationSummary("sunny-box", 0, NOW - 1800 * SECOND, None, expected=50, missed=1, late=0)]
)
WELL = IngestStatus(redis=True, spool=True, spooled_hooks=4, oldest_spooled_at=NOW - 8 * SECOND)


def page(redis, **more):
    given = {
        "backlog": lambda: Backlog(WIRES, LANES, 5),
        "hook_health": lambda: HEALTH,
        "attention": list,
        "stores": lambda: STORES,
        "get_status": lambda: WELL,
        "chain": lambda: ChainStatus(alive=True, last_heartbeat_seconds=2.0, heartbeat_took_seconds=0.25),
        "now": lambda: NOW,
    }
    return MetricsPage(MetricsSources(redis, FleetTotals(redis), **(given | more))).render().decode()


def values(text):
    return {
        (sample.name, *(label for _, label in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def seen(redis_client):
    redis_client.hset(redis_keys.METRICS, '["cratewire_hooks_total",{"way":"inbox"}]', "12")
    stream.add_all(redis_client, [build_heartbeat(NOW - 6 * SECOND)])
    report_trouble(
        redis_client, DatabaseFault("42501", "a right is missing", "GRANT it."), "hooks.fan_out", NOW - 3 * SECOND
    )
    return values(page(redis_client))


@pytest.mark.parametrize(
    ("series", "value"),
    [
        (("cratewire_hooks_total", "inbox"), 12),
        (("cratewire_ready", "hooks"), 1),
        (("cratewire_ready", "chain"), 1),
        (("cratewire_ready", "way_in"), 1),
        (("cratewire_canary_age_seconds",), 40),
        (("cratewire_canary_took_seconds",), 0.25),
        (("cratewire_silence_seconds", "any", "sunny-box"), 7200),
        (("cratewire_silence_seconds", "order_new", "sunny-box"), 7200),
        (("cratewire_heartbeat_age_seconds",), 2),
        (("cratewire_heartbeat_took_seconds",), 0.25),
        (("cratewire_spool_hooks",), 4),
        (("cratewire_spool_oldest_seconds",), 8),
        (("cratewire_inbox_hooks",), 1),
        (("cratewire_inbox_oldest_seconds",), 6),
        (("cratewire_ledger_trouble_seconds", "42501"), 3),
        (("cratewire_connection_active", "1", "customerio", "sunny-box"), 1),
        (("cratewire_connection_active", "2", "customerio", "moon-box"), 0),
        (("cratewire_lane_deliveries", "1", "0"), 7),
        (("cratewire_lane_oldest_seconds", "1", "1"), 90),
        (("cratewire_lane_rest_seconds", "1", "1"), 15),
        (("cratewire_lane_rest_seconds", "1", "0"), 0),
        (("cratewire_rate_factor", "1"), 1),
        (("cratewire_rate_pause_seconds", "1"), 0),
        (("cratewire_reconciliation_age_seconds", "sunny-box"), 1800),
        (("cratewire_missed_hooks_ratio", "sunny-box"), 0.02),
        (("cratewire_dead_hooks_waiting",), 5),
        (("cratewire_dead_deliveries_waiting", "1"), 2),
        (("cratewire_source_up", "redis"), 1),
        (("cratewire_source_up", "ledger"), 1),
    ],
)
def test_a_series_says_what_is_so(seen, series, value):
    assert seen[series] == value


def test_due_is_what_could_leave_now_of_connections_that_are_not_paused(seen):
    assert seen["cratewire_due_oldest_seconds",] == 30


def test_a_lane_that_has_rested_is_due_since_it_could_go(redis_client):
    rested = LaneBacklog(1, 0, 1, NOW - 500 * SECOND, NOW - 3 * SECOND)

    shown = values(page(redis_client, backlog=lambda: Backlog(WIRES, (rested,), 0)))

    assert shown["cratewire_due_oldest_seconds",] == 3


def test_a_throttled_budget_is_reported(redis_client):
    budget = Budget(redis_client, redis_keys.budget("customerio", "env-1"), 10.0)
    budget.pause(60)

    shown = values(page(redis_client))

    assert shown["cratewire_rate_factor", "1"] == budget.factor() < 1
    assert 0 < shown["cratewire_rate_pause_seconds", "1"] <= 60


def ledger_away():
    raise OperationalError("", {}, Exception())


def test_without_the_ledger_the_rest_is_shown(redis_client):
    shown = values(page(redis_client, backlog=ledger_away))

    assert (shown["cratewire_source_up", "ledger"], shown["cratewire_source_up", "redis"]) == (0, 1)
    assert ("cratewire_dead_hooks_waiting",) not in shown


def test_without_redis_the_ledger_and_this_process_are_shown_and_no_totals_that_would_be_wrong():
    shown = values(page(Redis(port=1)))

    assert (shown["cratewire_source_up", "redis"], shown["cratewire_source_up", "ledger"]) == (0, 1)
    assert shown["cratewire_spool_hooks",] == 4
    assert ("cratewire_inbox_hooks",) not in shown
    assert ("cratewire_spool_drained_total",) not in shown


def test_without_heartbeats_nothing_is_said_of_the_chain(redis_client):
    shown = values(page(redis_client, chain=lambda: ChainStatus(None, None, None)))

    assert ("cratewire_ready", "chain") not in shown


def test_a_public_url_that_was_not_tested_has_no_sample(redis_client):
    shown = values(page(redis_client, hook_health=lambda: HookHealth(EndpointStatus(works=None), [])))

    names = {name for name, *labels in shown if "canary" in name or "silence" in name or "way_in" in labels}
    assert names == {"cratewire_attention"}


def test_what_needs_a_person_is_counted_by_cause(redis_client):
    item = AttentionItem("silence", "sunny-box", "merchant", "silent", "No hook.", "Look.", NOW)
    shown = values(page(redis_client, attention=lambda: [item, item]))

    assert (shown["cratewire_attention", "silence"], shown["cratewire_attention", "way_in"]) == (2, 0)


def test_every_metric_family_is_named(redis_client):
    shown = {family.name for family in text_string_to_metric_families(page(redis_client))}

    assert shown == {family.name for family in REGISTRY.collect()} | set(GAUGES)


def get(**headers):
    app = Flask("pages")
    app.register_blueprint(blueprint(lambda: b"cratewire_hooks_total 1\n", "a-token-of-some-length"))
    return send(app.wsgi_app, "GET", "/metrics", **headers)


def test_the_token_opens_the_page():
    reply = get(HTTP_AUTHORIZATION="Bearer a-token-of-some-length")

    assert (reply.status, reply.body) == (200, b"cratewire_hooks_total 1\n")
    assert reply.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    "given",
    [{}, {"HTTP_AUTHORIZATION": "Bearer another"}, {"HTTP_AUTHORIZATION": "Bearer \xe9"}, {"REMOTE_ADDR": "127.0.0.1"}],
)
def test_without_the_token_it_cannot_be_read_even_from_this_machine(given):
    reply = get(**given)

    assert (reply.status, reply.headers["WWW-Authenticate"]) == (401, "Bearer")
