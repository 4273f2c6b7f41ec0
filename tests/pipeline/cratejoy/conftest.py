"""A sandbox store on a loopback port, and the client with a budget that is only limited when a test says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import fakeredis
import pytest

from pipeline.cratejoy.client import Cratejoy
from pipeline.cratejoy.credentials import Credentials
from pipeline.cratejoy.opening import open_with
from pipeline.http import HTTP
from sandbox.store.server import Running, serving
from sandbox.store.world import Options

AMPLE = 1_000.0  # requests a second


@dataclass(frozen=True)
class Shop:
    """The sandbox store as a test arranges it."""

    running: Running

    @property
    def base_url(self) -> str:
        return f"{self.running.url}/v1/"

    def credentials(self, secret: str = "secret") -> Credentials:
        return Credentials("id", secret, self.base_url)

    def control(self, path, body):
        answer = HTTP().call("POST", f"{self.running.url}/_sandbox/{path}", body=json.dumps(body).encode())
        assert answer.status in (200, 201), answer.body
        return json.loads(answer.body)

    def fault(self, **fault):
        self.control("faults", fault)

    def switch(self, **switches):
        self.control("switches", switches)

    def people(self, count):
        return self.control("customers", {"count": count})["ids"]

    def asked(self):
        """Method, path and query of every request so far."""
        return [(one["method"], one["path"], one["query"]) for one in self.running.world.journal.entries()]


@pytest.fixture
def shop() -> Iterator[Shop]:
    with serving(Options("id", "secret", seed=7)) as running:
        yield Shop(running)


@pytest.fixture
def redis() -> fakeredis.FakeRedis:
    return fakeredis.FakeRedis()


@pytest.fixture
def store(shop, redis) -> Cratejoy:
    return open_with(shop.credentials(), redis, per_second=AMPLE)
