"""Notices: signed so that a receiver with the secret can verify them, and sent until they are accepted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from sqlalchemy import select

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.monitoring.alarms import insert_notice
from pipeline.ledger.outbox import MAX_ATTEMPTS
from pipeline.ledger.schema.monitoring import Notice
from pipeline.monitoring.alert_webhook import derive_signing_secret, send_due_notices
from tests.builders import NOW
from tests.contexts import make_context
from tests.servers.listener import listener
from tests.servers.process import free_port

OLD, NEW = "the-key-of-last-year", "the-key-of-this-year"
CONTENT = {"type": "alarms.opened", "timestamp": "2026-03-02T16:46:40Z", "data": {"opened": [{"store": "acme"}]}}


@pytest.fixture
def clock():
    return [NOW]


@pytest.fixture
def ring(engine, clock):
    """Sends all waiting notices to an address."""

    def rung(url, keys=(NEW,)):
        return send_due_notices(make_context(engine, now=lambda: clock[0], alarm_url=url, secret_keys=keys))

    with writing(engine) as conn:
        insert_notice(conn, "msg_1", CONTENT, NOW)
    return rung


def row(engine):
    with reading(engine) as conn:
        return conn.execute(select(Notice.__table__)).one()


def is_genuine(request, secret):
    """What any receiver does who follows the scheme; written without a line of ours."""
    message_id, timestamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + request.body
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [one.split(",", 1) for one in request.headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(signature, wanted) for version, signature in given)


def test_a_notice_is_sent_once_and_can_be_checked(engine, ring):
    with listener() as notice_server:
        assert (ring(notice_server.url), ring(notice_server.url)) == (1, 0)

    [request] = notice_server.requests
    assert json.loads(request.body) == CONTENT
    assert request.headers["content-type"] == "application/json"
    assert (request.headers["webhook-id"], request.headers["webhook-timestamp"]) == ("msg_1", str(NOW // 1_000_000))
    assert is_genuine(request, derive_signing_secret(NEW))


def test_another_secret_or_another_body_does_not_fit(ring):
    with listener() as notice_server:
        ring(notice_server.url)

    [request] = notice_server.requests
    changed = type(request)(request.method, request.path, request.headers, request.body + b" ")
    assert not is_genuine(request, derive_signing_secret(OLD))
    assert not is_genuine(changed, derive_signing_secret(NEW))


@pytest.mark.parametrize("known", [OLD, NEW])
def test_while_a_key_is_changed_the_old_secret_and_the_new_one_fit(ring, known):
    with listener() as notice_server:
        ring(notice_server.url, (NEW, OLD))

    assert is_genuine(notice_server.requests[0], derive_signing_secret(known))


def test_the_secret_says_nothing_about_the_key():
    assert NEW not in base64.b64decode(derive_signing_secret(NEW).removeprefix("whsec_")).decode("latin-1")
    assert derive_signing_secret(NEW) != derive_signing_secret(OLD)


@pytest.mark.parametrize("status", [301, 307, 400, 404, 410, 429, 500, 503])
def test_what_is_not_taken_is_sent_again_later_under_the_same_id(engine, ring, clock, status):
    with listener(status, headers={"Location": "/elsewhere"}) as notice_server:
        refused, too_soon = ring(notice_server.url), ring(notice_server.url)
        notice_server.status = 204
        clock[0] += 15_000_000
        taken = ring(notice_server.url)

    assert (refused, too_soon, taken) == (0, 0, 1)
    assert [request.headers["webhook-id"] for request in notice_server.requests] == ["msg_1", "msg_1"]
    assert {request.path for request in notice_server.requests} == {"/"}
    assert is_genuine(notice_server.requests[1], derive_signing_secret(NEW))


def test_the_pauses_grow_to_an_hour_and_after_a_day_it_is_given_up(engine, ring, clock):
    nowhere, pauses = f"http://127.0.0.1:{free_port()}", []
    for _ in range(MAX_ATTEMPTS):
        ring(nowhere)
        pauses.append(row(engine).next_attempt_at - clock[0])
        clock[0] = row(engine).next_attempt_at

    assert (pauses[0], max(pauses)) == (15_000_000, 3_600_000_000)
    assert sorted(pauses[:-1]) == pauses[:-1]
    assert (row(engine).done_at is not None, row(engine).reason) == (True, "connection refused")
    assert ring(nowhere) == 0
