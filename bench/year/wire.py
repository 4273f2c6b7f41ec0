"""HTTP without sockets: calls go straight into the applications of the sandbox, on the clock of the year.

Between a call and its answer a worker may be killed, and a side may be away; the sandbox's own faults do the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import EnvironBuilder, run_wsgi_app

from pipeline.infra.http.client import MAX_BODY_BYTES, HTTPClient, HTTPResponse, Method

App = Callable[..., Iterable[bytes]]
BROKEN_OFF = HTTPResponse(None, fault="maybe_processed", error="connection broke off")
REFUSED = HTTPResponse(None, fault="not_sent", error="connection refused")
OK = range(200, 300)


class Killed(BaseException):
    """The worker is gone at this very point: nothing of ours catches it."""


@dataclass
class Blow:
    """Kills the worker at the call that follows so many others: before it is made, or after it was answered."""

    calls_left: int
    is_before: bool


@dataclass
class Wire(HTTPClient):
    """The HTTP client that the fulfilment is handed. `away`: hosts that cannot be reached."""

    apps: Mapping[str, App]
    away: set[str] = field(default_factory=set)
    blow: Blow | None = None
    calls: int = 0

    def call(
        self,
        method: Method,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_bytes: int = MAX_BODY_BYTES,  # noqa: ARG002 - the sandbox sends nothing that is too long
    ) -> HTTPResponse:
        self.calls += 1
        blow = self._find_blow()
        if blow and blow.is_before:
            raise Killed
        answer = self._ask(method, url, headers or {}, body)
        if blow:
            raise Killed
        return answer

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int | None:
        """A message to us, with which no worker is killed; returns its status, None without an answer."""
        return self._ask("POST", url, headers, body).status

    def control(self, method: Method, url: str, body: object = None) -> Any:
        """A call of the year itself, which nothing disturbs. Raises ValueError if it is refused."""
        answer = self._ask(method, url, {}, None if body is None else json.dumps(body).encode(), is_ours=True)
        if answer.status not in OK:
            raise ValueError(f"{method} {url}: {answer.status} {answer.body}")
        return json.loads(answer.body)

    def _find_blow(self) -> Blow | None:
        blow = self.blow
        if blow is None:
            return None
        blow.calls_left -= 1
        if blow.calls_left >= 0:
            return None
        self.blow = None
        return blow

    def _ask(
        self, method: Method, url: str, headers: Mapping[str, str], body: bytes | None, *, is_ours: bool = False
    ) -> HTTPResponse:
        parts = urlsplit(url)
        if parts.netloc in self.away and not is_ours:
            return REFUSED
        environ = EnvironBuilder(
            parts.path, query_string=parts.query, method=method, headers=list(headers.items()), data=body or b""
        ).get_environ()
        try:
            chunks, status, given = run_wsgi_app(self.apps[parts.netloc], environ, buffered=True)
        except ConnectionResetError:
            return BROKEN_OFF
        lowered = {name.lower(): value for name, value in given.items()}
        return HTTPResponse(int(status.split()[0]), lowered, b"".join(chunks).decode("utf-8", "replace"))
