"""The sandbox store as tests arrange it, and a clock they set."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pipeline.cratejoy.credentials import Credentials
from pipeline.infra.http.client import HTTPClient
from sandbox.store.server import RunningStore
from tests.pipeline.ledger.rows import NOW

AMPLE_PER_S = 1_000.0  # requests a second


@dataclass(frozen=True)
class StoreControl:
    """The sandbox store as a test arranges it."""

    running: RunningStore

    @property
    def base_url(self) -> str:
        return f"{self.running.url}/v1/"

    def credentials(self, secret: str = "secret") -> Credentials:
        return Credentials("id", secret, self.base_url)

    def control(self, path, body):
        answer = HTTPClient().call("POST", f"{self.running.url}/_sandbox/{path}", body=json.dumps(body).encode())
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


@dataclass
class Clock:
    now: int = NOW

    def __call__(self) -> int:
        return self.now
