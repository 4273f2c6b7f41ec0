from __future__ import annotations

import json

import pytest
from flask import Flask

from pipeline.inbox.ingest import IngestStatus
from pipeline.ledger.queries import ChainStatus
from receiver.health import blueprint
from tests.receiver.hook_servers import FakeHookSink, make_app, send


def get(path, condition):
    return send(make_app(FakeHookSink(now=condition)).wsgi_app, "GET", path)


@pytest.mark.parametrize("condition", [None, IngestStatus(redis=False, spool=False, spooled_hooks=0)])
def test_a_process_that_answers_lives(condition):
    assert get("/healthz", condition).status == 200


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (IngestStatus(redis=True, spool=True, spooled_hooks=0), 200),
        (IngestStatus(redis=True, spool=False, spooled_hooks=0), 200),
        (IngestStatus(redis=False, spool=True, spooled_hooks=9), 200),
        (IngestStatus(redis=False, spool=False, spooled_hooks=9), 503),
        (None, 503),
    ],
)
def test_ready_is_who_can_keep_a_hook(condition, status):
    assert get("/readyz", condition).status == status


@pytest.mark.parametrize("path", ["/readyz", "/readyz/hooks"])
def test_readiness_names_its_parts(path):
    reply = json.loads(get(path, IngestStatus(redis=False, spool=True, spooled_hooks=9)).body)

    assert reply.items() >= {"ready": True, "writer": True, "redis": False, "spool": True, "spooled": 9}.items()


@pytest.mark.parametrize("path", ["/readyz", "/readyz/hooks"])
def test_a_dead_writer_is_reported_too(path):
    reply = json.loads(get(path, None).body)

    assert reply.items() >= {"ready": False, "writer": False, "redis": False, "spooled": None}.items()


def chained(path, alive):
    app = Flask("health")
    well = IngestStatus(redis=True, spool=True, spooled_hooks=0)
    app.register_blueprint(blueprint(lambda: well, lambda: ChainStatus(alive, 99.5, 0.1)))
    return send(app.wsgi_app, "GET", path)


@pytest.mark.parametrize(("alive", "status"), [(True, 200), (None, 200), (False, 503)])
def test_readiness_fails_when_hooks_do_not_become_events(alive, status):
    reply = chained("/readyz", alive)

    assert reply.status == status
    assert json.loads(reply.body).items() >= {"hooks": True, "chain": alive, "last_heartbeat_seconds": 99.5}.items()


def test_a_load_balancer_keeps_sending_hooks_that_can_be_stored():
    assert chained("/readyz/hooks", alive=False).status == 200
