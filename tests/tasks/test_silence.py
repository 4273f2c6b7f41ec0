"""Alerts about missing hooks as beat and workers send them, from the sweep to the alert web hook."""

from __future__ import annotations

import io
import json
import os
import threading
from dataclasses import replace
from functools import partial
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from sqlalchemy import insert

from pipeline.inbox import stream
from pipeline.infra import redis_keys
from pipeline.infra.crypto import hook_tokens
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.ledger.schema.monitoring import Canary, HourlyActivity
from pipeline.ledger.stores import save_store
from pipeline.monitoring.status import get_hook_health
from receiver.hooks.build import generate_receipt
from receiver.hooks.rules import HookRules
from receiver.hooks.server import HookServer
from tasks import process, silence
from tasks.chain import start_chain
from tests.pipeline.monitoring.hook_histories import DAY, active_hours_at, every_day, hour_us
from tests.receiver.hook_servers import FakeHookSink, as_wsgi
from tests.servers.listener import listener
from tests.tasks.inline_worker import run_all, take_all_messages


@pytest.fixture
def change(installed):
    """Changes this process: its settings, and what time it is."""

    def changed(now=None, **settings):
        context = process._contexts[os.getpid()]
        clock = context.now if now is None else lambda: now
        process._contexts[os.getpid()] = replace(context, settings=replace(context.settings, **settings), now=clock)

    return changed


@pytest.fixture
def store_id(installed):
    with writing(installed.process.engine) as conn:
        return save_store(conn, "acme", installed.process.now()).id


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        """Nothing."""


@pytest.fixture
def web(installed):
    """The receiver's rules behind a real port; what it takes is in the inbox. Its address."""
    context = installed.process

    class InboxSink(FakeHookSink):
        def submit(self, hook):
            stream.add(context.redis, hook)
            return "inbox"

    rules = HookRules(partial(hook_tokens.verify, context.settings.secret_keys), 10_000, context.now, generate_receipt)
    hooks = as_wsgi(HookServer(rules, InboxSink(), None))

    def app(environ, start_response):
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
        return hooks(environ | {"wsgi.input": io.BytesIO(body)}, start_response)

    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def get_health(installed):
    with reading(installed.process.engine) as conn:
        return get_hook_health(conn, process._contexts[os.getpid()].now())


def test_a_canary_travels_by_the_public_address_through_the_chain_into_the_ledger(installed, store_id, change, web):
    change(public_url=web)
    silence.sweep()
    before = get_health(installed).endpoint.works
    sent = run_all("deliveries")
    start_chain()
    run_all("hooks")

    assert (before, sent, get_health(installed).endpoint.works) == (None, ["silence.send_canary"], True)
    assert (installed.rows(core.Event), installed.rows(core.DeadHook)) == ([], [])


def test_a_canary_that_is_turned_away_says_why(installed, store_id, change, web):
    change(public_url=web, secret_keys=("a key that web does not have",))
    silence.sweep()
    run_all("deliveries")

    [canary] = installed.rows(Canary)
    assert canary.fault == "answered 404"


def test_only_one_sweep_runs_at_a_time(installed, store_id):
    installed.process.redis.set(redis_keys.MONITORING_LEASE, "another")
    silence.sweep()

    assert (take_all_messages("deliveries"), installed.rows(Canary)) == ([], [])


def test_the_lease_is_released(installed, store_id):
    silence.sweep()

    assert not installed.process.redis.exists(redis_keys.MONITORING_LEASE)


def test_an_alert_about_missing_hooks_is_sent_to_the_alert_web_hook(installed, store_id, change):
    rows = [
        {"store_id": store_id, "event": "order_new", "hooks": 1, "hour": hour.hour}
        | {"first_at": hour.first_at, "last_at": hour.last_at}
        for hour in active_hours_at(every_day(range(9, 18), 30))
    ]
    with writing(installed.process.engine) as conn:
        conn.execute(insert(HourlyActivity), rows)
    with listener() as notice_server:
        change(now=hour_us(31 * DAY), canary_seconds=0.0, alarm_url=notice_server.url)
        silence.sweep()
        worked = run_all("deliveries")

    [request] = notice_server.requests
    [alarm] = json.loads(request.body)["data"]["opened"]
    assert (worked, alarm["store"], alarm["event"]) == (["silence.notify"], "acme", None)


def test_without_an_alert_url_no_notice_is_sent(installed, store_id, change):
    change(canary_seconds=0.0)
    silence.sweep()

    assert take_all_messages("deliveries") == []
