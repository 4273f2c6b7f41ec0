"""Reads the bodies of page requests, with limits on size, time and the total per network.

They have their own budget, so that page requests never keep the body of a hook from being read.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from pipeline.infra import metrics
from receiver.hooks.body_budget import BodyBudget, BodyBudgetExceeded, BodyReservation
from receiver.hooks.rules import (
    BAD_LENGTH,
    INCOMPLETE,
    MAX_LENGTH_DIGITS,
    TOO_LARGE,
    TOO_SLOW,
    UNAVAILABLE,
    Answer,
    RequestRejected,
)
from receiver.networks import find_network

MAX_BODY_BYTES = 64_000
MAX_TOTAL_BYTES = 16_000_000  # of all open requests
MAX_NETWORK_BYTES = 1_000_000
MIN_CHARGED_BYTES = 8_000  # charged for every request with a body, however short it is
BODY_TIMEOUT_S = 10.0
UPLOADS = "/imports"  # how the paths end, of pages and of the API, that take a file of a warehouse
MAX_UPLOAD_BYTES = 12_000_000  # a file of 10 MiB, and what is around it
UPLOAD_TIMEOUT_S = 60.0
FILE_TOO_LARGE = Answer(
    TOO_LARGE.status,
    [("Content-Type", "text/plain; charset=utf-8")],
    b"The file is too large: at most 10 MB and 50,000 rows are read. Split it, and upload each part.\n",
)


@dataclass(frozen=True, slots=True)
class _Limits:
    """The limits of one kind of body."""

    max_bytes: int
    timeout_s: float
    too_large: Answer
    budget: BodyBudget


class PageBodyReader:
    """Reads bodies within a budget, and files within another. `timeout_s`: the time limit for one body."""

    def __init__(self, budget: BodyBudget | None = None, timeout_s: float = BODY_TIMEOUT_S) -> None:
        budget = budget or BodyBudget(MAX_TOTAL_BYTES, MAX_NETWORK_BYTES)
        self._forms = _Limits(MAX_BODY_BYTES, timeout_s, TOO_LARGE, budget)
        uploads = BodyBudget(2 * MAX_UPLOAD_BYTES, MAX_UPLOAD_BYTES)
        self._files = _Limits(MAX_UPLOAD_BYTES, UPLOAD_TIMEOUT_S, FILE_TOO_LARGE, uploads)

    async def read(self, scope: Any, http: Any) -> bytes:
        """Return the whole body. Raises RequestRejected."""
        limits = self._files if scope.path.endswith(UPLOADS) else self._forms
        length = _parse_length(scope.headers, limits)
        if length == 0:
            return b""
        try:
            with limits.budget.new_reservation(_find_network(scope)) as body:
                async with asyncio.timeout(limits.timeout_s):
                    return await _read(http, length, body, limits)
        except BodyBudgetExceeded:
            raise _reject(UNAVAILABLE) from None
        except TimeoutError:
            raise _reject(TOO_SLOW) from None


async def _read(http: Any, length: int | None, body: BodyReservation, limits: _Limits) -> bytes:
    body.grow(max(MIN_CHARGED_BYTES, length or 0))  # before anything is read: granian buffers what arrives
    chunks: list[bytes] = []
    size = 0
    async for chunk in http:
        chunks.append(chunk)
        size += len(chunk)
        if size > limits.max_bytes:
            raise _reject(limits.too_large)
        if length is None:
            body.grow(len(chunk))
    if length is not None and size != length:
        raise _reject(INCOMPLETE)
    return b"".join(chunks)


def _parse_length(headers: Any, limits: _Limits) -> int | None:
    """Return the announced length; None for a chunked body. Raises RequestRejected."""
    if headers.get("transfer-encoding"):
        return None
    length = headers.get("content-length") or "0"
    if not (length.isascii() and length.isdigit()):
        raise _reject(BAD_LENGTH)
    if len(length) > MAX_LENGTH_DIGITS or int(length) > limits.max_bytes:
        raise _reject(limits.too_large)
    return int(length)


def _find_network(scope: Any) -> str | None:
    return find_network(scope.client.rpartition(":")[0], scope.headers.get("x-forwarded-for") or "")


def _reject(answer: Answer) -> RequestRejected:
    metrics.REJECTED_PAGE_REQUESTS.labels(answer.status[:3]).inc()
    return RequestRejected(answer)
