"""The calls to a warehouse: each within the rate budget, each recorded, and what it means that one had no answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.core.backoff import parse_retry_after
from pipeline.core.fulfilment import (
    AuthError,
    OutcomeUnknown,
    RateLimited,
    Retryable,
    Trouble,
    WarehouseCall,
)
from pipeline.infra.http.client import HTTPResponse, Method
from pipeline.infra.http.faults import NOT_PUBLIC
from pipeline.redaction.scrub import scrub
from pipeline.warehouses.base import Tools
from pipeline.warehouses.json_texts import load_json

MAX_ANSWER_BYTES = 4 * 1024 * 1024  # 100 orders of a few KiB each, with room to spare
_TOO_MANY_REQUESTS = 429
_FAULTY_ADDRESSES = frozenset({NOT_PUBLIC, "unusable URL"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call of a warehouse's API: the path after the base URL, and the same with names in place of numbers."""

    method: Method
    path: str
    template: str


class Caller:
    """Makes one warehouse's calls. `support_header`: where its answers have their id, in lower case."""

    def __init__(self, tools: Tools, base_url: str, *, support_header: str = "") -> None:
        self._tools = tools
        self._base_url = base_url
        self._support_header = support_header

    def call(
        self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes | None = None, *, takes_turn: bool = True
    ) -> HTTPResponse | RateLimited:
        """Make the call; RateLimited, and nothing is called, while the budget is used up."""
        wait_s = self._tools.take_turn() if takes_turn else 0.0
        if wait_s > 0:
            return RateLimited(wait_s)
        response = self._tools.http.call(
            endpoint.method,
            f"{self._base_url}{endpoint.path}",
            headers=headers,
            body=body,
            max_bytes=MAX_ANSWER_BYTES,
        )
        self._tools.record(
            WarehouseCall(
                endpoint.method,
                endpoint.template,
                response.status,
                response.started_at,
                response.duration_us,
                scrub(response.headers.get(self._support_header, "")),
                response.error,
            )
        )
        return response


def parse_read_fault(response: HTTPResponse) -> Trouble | None:
    """Return what stands in the way of reading an answer, or None: no answer, a redirect, a server in trouble."""
    if response.status is None:
        reason = response.error or "no answer"
        return AuthError(reason) if reason in _FAULTY_ADDRESSES else Retryable(reason)
    kind = response.status // 100
    if kind == 3:  # noqa: PLR2004 - redirections; following one would hand the keys on
        return AuthError(f"redirected ({response.status})")
    if kind == 5 or not response.is_complete:  # noqa: PLR2004 - the server's faults
        return Retryable(f"answered {response.status}", _parse_wait(response))
    return None


def parse_write_fault(response: HTTPResponse) -> Trouble | OutcomeUnknown | None:
    """The same for a call that changes something: after it was sent, a fault leaves open whether it was done."""
    fault = parse_read_fault(response)
    if isinstance(fault, Retryable) and response.fault != "not_sent":
        return OutcomeUnknown(fault.reason)
    return fault


def parse_rate_limit(response: HTTPResponse, wait_s: float) -> RateLimited | None:
    """Return the wait that a 429 asks for, else `wait_s`, which then doubles; None for any other answer."""
    if response.status != _TOO_MANY_REQUESTS:
        return None
    asked_s = _parse_wait(response)
    return RateLimited(wait_s if asked_s is None else asked_s, doubles=asked_s is None)


def read_object(response: HTTPResponse) -> dict[str, Any] | None:
    """Return the JSON object of an answer, or None if it is none."""
    try:
        body = load_json(response.body) if response.is_complete else None
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _parse_wait(response: HTTPResponse) -> float | None:
    """Return the seconds that the warehouse asks to wait, if it names any."""
    return parse_retry_after(response.headers.get("retry-after"), response.started_at / 1_000_000)
