"""A fake HTTP client that gives prepared answers, and a gate that records its calls."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from pipeline.cratejoy.client import CratejoyClient
from pipeline.cratejoy.credentials import Credentials
from pipeline.infra.http.client import HTTPClient, HTTPResponse

BASE = "https://api.cratejoy.com/v1/"
AT = 1_772_355_600_000_000  # 2026-03-01T09:00:00Z


class ScriptedHTTP(HTTPClient):
    """The last answer is given again and again."""

    def __init__(self, *answers: HTTPResponse) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[tuple[str, str]] = []

    def call(self, method, url, **_):
        self.asked.append((method, url))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@dataclass
class FakeRateLimit:
    """Open by default."""

    wait: float = 0.0
    pauses: list[float | None] = field(default_factory=list)
    hold_offs: list[float] = field(default_factory=list)
    successes: int = 0

    def acquire(self, _cost=1):
        return self.wait

    def pause(self, seconds):
        self.pauses.append(seconds)

    def hold_off(self, seconds):
        self.hold_offs.append(seconds)

    def pause_left_s(self):
        return (self.pauses[-1] or 1.0) if self.pauses else 0.0

    def record_success(self):
        self.successes += 1


def answer(status: int, body: object = None, **headers: str) -> HTTPResponse:
    """An answer with this JSON, or this text."""
    text = body if isinstance(body, str) else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HTTPResponse(status, named, text, started_at=AT)


def page(*ids: int, next_: str | None = None, count: int | None = None) -> HTTPResponse:
    return answer(200, {"count": count, "next": next_, "prev": None, "results": [{"id": one} for one in ids]})


def store(*answers: HTTPResponse, gate: FakeRateLimit | None = None) -> tuple[CratejoyClient, ScriptedHTTP]:
    """A client that is answered like this."""
    http = ScriptedHTTP(*answers)
    return CratejoyClient(Credentials("id", "secret", BASE), http, gate or FakeRateLimit()), http
