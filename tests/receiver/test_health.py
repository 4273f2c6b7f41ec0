from __future__ import annotations

import json

import pytest

from pipeline.inbox.way_in import Condition
from tests.receiver.doors import Keeper, make_app, send


def get(path, condition):
    return send(make_app(Keeper(now=condition)).wsgi_app, "GET", path)


@pytest.mark.parametrize("condition", [None, Condition(redis=False, spool=False, spooled=0)])
def test_a_process_that_answers_lives(condition):
    assert get("/healthz", condition).status == 200


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (Condition(redis=True, spool=True, spooled=0), 200),
        (Condition(redis=True, spool=False, spooled=0), 200),
        (Condition(redis=False, spool=True, spooled=9), 200),
        (Condition(redis=False, spool=False, spooled=9), 503),
        (None, 503),
    ],
)
def test_ready_is_who_can_keep_a_hook(condition, status):
    assert get("/readyz", condition).status == status


def test_readiness_names_its_parts():
    reply = get("/readyz", Condition(redis=False, spool=True, spooled=9))

    assert json.loads(reply.body) == {"ready": True, "writer": True, "redis": False, "spool": True, "spooled": 9}


def test_a_dead_writer_is_told_too():
    reply = get("/readyz", None)

    assert json.loads(reply.body) == {"ready": False, "writer": False, "redis": False, "spool": False, "spooled": None}
