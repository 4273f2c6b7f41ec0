"""A store that sends too many hooks is refused for a while; other stores are not."""

from __future__ import annotations

import asyncio
import io
from types import SimpleNamespace

import pytest

from receiver.hooks.rules import HookRules
from receiver.hooks.server import HookServer
from receiver.hooks.store_rate import StoreRate
from tests.receiver.hook_servers import FakeHookSink, Headers, Request

PER_MINUTE = 3


@pytest.fixture
def send():
    """Send a hook of a store to a server that accepts three of each within a minute."""
    rules = HookRules(lambda *_: 7, 1_000, lambda: 1, str, count_hook=StoreRate(PER_MINUTE).count)
    server = HookServer(rules, sink := FakeHookSink(), None)

    def send(store: str, method: str = "POST") -> Request:
        path = f"/hooks/{store}/7.right/order_new"
        scope = SimpleNamespace(method=method, path=path, query_string="", headers=Headers({"content-length": "2"}))
        asyncio.run(server.__rsgi__(scope, request := Request(io.BytesIO(b"{}"))))
        return request

    send.sink, send.rules = sink, rules
    return send


def test_what_is_beyond_the_limit_is_answered_with_429_and_not_stored(send):
    statuses = [send("acme").reply.status for _ in range(PER_MINUTE + 1)]

    assert (statuses, len(send.sink.hooks)) == ([200, 200, 200, 429], PER_MINUTE)


def test_the_answer_says_how_many_seconds_to_wait(send):
    for _ in range(PER_MINUTE):
        send("acme")

    assert 1 <= int(send("acme").reply.headers["Retry-After"]) <= 60


def test_other_stores_are_accepted_meanwhile(send):
    for _ in range(PER_MINUTE + 1):
        send("acme")

    assert send("other").reply.status == 200


def test_a_probe_is_not_counted(send):
    for _ in range(PER_MINUTE + 1):
        send("acme", "HEAD")

    assert send("acme").reply.status == 200


def test_the_refused_are_counted_for_the_attention_list(send):
    for _ in range(PER_MINUTE + 2):
        send("acme")

    assert send.rules.tally._pending == {("acme", "429"): (2, 1)}
