"""What the doctor sees of a broker that is not Redis."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from pipeline.infra.embedded_valkey import find_free_port
from receiver.doctor.examine import run_checks


def broker(installed, url):
    settings = replace(installed.process.settings, broker_url=url)
    return {finding.name: finding for finding in run_checks(settings, {}, time.time)}["broker"]


def test_a_rabbitmq_that_answers_is_well(installed, node):
    assert broker(installed, node.url).state == "ok"


@pytest.mark.parametrize(
    ("change", "error"),
    [(("guest:guest", "guest:wrong"), "AccessRefused"), (("//", "//nowhere"), "NotAllowed")],
)
def test_a_rabbitmq_that_refuses_the_login_is_reported_with_its_reason(installed, node, change, error):
    old, new = change
    head, _, tail = node.url.rpartition(old)

    found = broker(installed, head + new + tail)

    assert (found.state, found.says) == ("wrong", f"no answer ({error})")


@pytest.mark.parametrize("scheme", ["amqp", "redis"])
def test_a_broker_that_is_away_is_wrong(installed, scheme):
    assert broker(installed, f"{scheme}://127.0.0.1:{find_free_port()}/").state == "wrong"


def test_a_broker_that_is_redis_itself_is_not_asked_twice(installed):
    names = [finding.name for finding in run_checks(installed.process.settings, {}, time.time)]

    assert "broker" not in names
