"""Makes the calls of Klaviyo's API, under a pinned revision, and remembers that a window is used up."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from pipeline.core.backoff import parse_retry_after
from pipeline.core.messages import CallRecord, Outcome, RetryAfter
from pipeline.destinations.klaviyo.responses import parse_outcome
from pipeline.destinations.outcomes import build_call_record
from pipeline.infra.http.client import HTTPClient, HTTPResponse

REVISION = "2026-07-15"  # Klaviyo docs: stable for a year, then deprecated for a year
JSON_API = "application/vnd.api+json"
MAX_ANSWER_BYTES = 1_000_000  # a refused bulk call has an error for each event


@dataclass(frozen=True, slots=True)
class FoundProfile:
    """A profile that is there. `external_id`: what we or another system call the person; None: it has none."""

    id: str
    external_id: str | None = field(repr=False)


class KlaviyoClient:
    """The calls of one send. `used_up`: why no further call can succeed now; None: one can."""

    def __init__(self, base_url: str, api_key: str, http: HTTPClient) -> None:
        self._base_url = base_url
        self._http = http
        self._headers = {"Authorization": f"Klaviyo-API-Key {api_key}", "revision": REVISION, "Accept": JSON_API}
        self.calls: list[CallRecord] = []
        self.used_up: dict[str, RetryAfter] = {}  # by path: each endpoint has windows of its own

    def now_s(self) -> float:
        """The time by the client's clock."""
        return self._http.now() / 1_000_000

    def get(self, path: str) -> HTTPResponse:
        """Ask for something."""
        return self._http.call("GET", f"{self._base_url}/api/{path}", headers=self._headers)

    def find_profile(self, kind: str, value: str) -> tuple[Outcome, FoundProfile | None]:
        """Return the outcome, and the profile with this identifier; None if there is none."""
        text = value.replace("\\", "\\\\").replace('"', '\\"')
        asked = quote(f'equals({kind},"{text}")')
        response = self.get(f"profiles?filter={asked}&fields[profile]=external_id")
        self.calls.append(build_call_record("GET", "/api/profiles", response, [0]))
        return parse_outcome(response), _read_profile(response)

    def post(self, path: str, body: bytes, positions: Sequence[int]) -> tuple[HTTPResponse, Outcome]:
        """Make a call about the messages at these positions; return its answer, and what that means."""
        if (wait := self.used_up.get(path)) is not None:
            return HTTPResponse(None), wait
        headers = {**self._headers, "Content-Type": JSON_API}
        url = f"{self._base_url}/api/{path}"
        response = self._http.call("POST", url, headers=headers, body=body, max_bytes=MAX_ANSWER_BYTES)
        self.calls.append(build_call_record("POST", f"/api/{path}", response, positions))
        if response.headers.get("ratelimit-remaining") == "0":  # Klaviyo docs: fixed windows, of a second and a minute
            seconds = parse_retry_after(response.headers.get("ratelimit-reset"), response.started_at / 1_000_000)
            if seconds is not None:
                self.used_up[path] = RetryAfter(seconds, "the account's calls of this window are used up")
        return response, parse_outcome(response)


def read_errors(response: HTTPResponse) -> list[Mapping[str, Any]]:
    """Return the errors of an answer."""
    errors = _parse(response).get("errors")
    return [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []


def _read_profile(response: HTTPResponse) -> FoundProfile | None:
    found = _parse(response).get("data")
    first = found[0] if isinstance(found, list) and found else None
    if not isinstance(first, dict) or not isinstance(first.get("id"), str):
        return None
    attributes = first.get("attributes")
    external_id = attributes.get("external_id") if isinstance(attributes, dict) else None
    return FoundProfile(first["id"], external_id if isinstance(external_id, str) and external_id else None)


def _parse(response: HTTPResponse) -> Mapping[str, Any]:
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
