"""Reads the bodies of requests to pages, from anybody: short, soon, and few at once from one network.

They have room of their own, so that however many there are, a hook's body is read.
"""

from __future__ import annotations

import asyncio
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
MAX_TOTAL_BYTES = 16_000_000  # of all that are under way
MAX_NETWORK_BYTES = 1_000_000
MIN_CHARGED_BYTES = 8_000  # what a request with a body costs, however short that is
BODY_TIMEOUT_S = 10.0


class PageBodyReader:
    """The bodies under way. `seconds`: how long one may take."""

    def __init__(self, room: BodyBudget | None = None, seconds: float = BODY_TIMEOUT_S) -> None:
        self._room = room or BodyBudget(MAX_TOTAL_BYTES, MAX_NETWORK_BYTES)
        self._seconds = seconds

    async def read(self, scope: Any, http: Any) -> bytes:
        """The whole body. Raises TurnedAway."""
        length = _parse_length(scope.headers)
        if length == 0:
            return b""
        try:
            with self._room.body(_find_network(scope)) as body:
                async with asyncio.timeout(self._seconds):
                    return await _read(http, length, body)
        except BodyBudgetExceeded:
            raise _reject(UNAVAILABLE) from None
        except TimeoutError:
            raise _reject(TOO_SLOW) from None


async def _read(http: Any, length: int | None, body: BodyReservation) -> bytes:
    body.grow(max(MIN_CHARGED_BYTES, length or 0))  # before anything is read: the server below us keeps what comes
    chunks: list[bytes] = []
    size = 0
    async for chunk in http:
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise _reject(TOO_LARGE)
        if length is None:
            body.grow(len(chunk))
    if length is not None and size != length:
        raise _reject(INCOMPLETE)
    return b"".join(chunks)


def _parse_length(headers: Any) -> int | None:
    """How long a body will be; None if only its end says so. Raises TurnedAway."""
    if headers.get("transfer-encoding"):
        return None
    length = headers.get("content-length") or "0"
    if not (length.isascii() and length.isdigit()):
        raise _reject(BAD_LENGTH)
    if len(length) > MAX_LENGTH_DIGITS or int(length) > MAX_BODY_BYTES:
        raise _reject(TOO_LARGE)
    return int(length)


def _find_network(scope: Any) -> str | None:
    return find_network(scope.client.rpartition(":")[0], scope.headers.get("x-forwarded-for") or "")


def _reject(answer: Answer) -> RequestRejected:
    metrics.REJECTED_PAGE_REQUESTS.labels(answer.status[:3]).inc()
    return RequestRejected(answer)
