"""Reads the bodies of requests to pages, from anybody: short, soon, and few at once from one network.

They have room of their own, so that however many there are, a hook's body is read.
"""

from __future__ import annotations

import asyncio
from typing import Any

from pipeline import metrics
from receiver.intake import (
    BAD_LENGTH,
    INCOMPLETE,
    LONGEST_NUMBER,
    REFUSED,
    TOO_LARGE,
    TOO_SLOW,
    Answer,
    TurnedAway,
)
from receiver.pages.networks import network_of
from receiver.room import Body, NoRoom, Room

BODY_BYTES = 64_000
ALL_BYTES = 16_000_000  # of all that are under way
ONE_NETWORK_BYTES = 1_000_000
LEAST_BYTES = 8_000  # what a request with a body costs, however short that is
BODY_SECONDS = 10.0


class PageBodies:
    """The bodies under way. `seconds`: how long one may take."""

    def __init__(self, room: Room | None = None, seconds: float = BODY_SECONDS) -> None:
        self._room = room or Room(ALL_BYTES, ONE_NETWORK_BYTES)
        self._seconds = seconds

    async def read(self, scope: Any, http: Any) -> bytes:
        """The whole body. Raises TurnedAway."""
        length = _announced(scope.headers)
        if length == 0:
            return b""
        try:
            with self._room.body(_network(scope)) as body:
                async with asyncio.timeout(self._seconds):
                    return await _read(http, length, body)
        except NoRoom:
            raise _turned_away(REFUSED) from None
        except TimeoutError:
            raise _turned_away(TOO_SLOW) from None


async def _read(http: Any, length: int | None, body: Body) -> bytes:
    body.grow(max(LEAST_BYTES, length or 0))  # before anything is read: the server below us keeps what comes
    chunks: list[bytes] = []
    size = 0
    async for chunk in http:
        chunks.append(chunk)
        size += len(chunk)
        if size > BODY_BYTES:
            raise _turned_away(TOO_LARGE)
        if length is None:
            body.grow(len(chunk))
    if length is not None and size != length:
        raise _turned_away(INCOMPLETE)
    return b"".join(chunks)


def _announced(headers: Any) -> int | None:
    """How long a body will be; None if only its end says so. Raises TurnedAway."""
    if headers.get("transfer-encoding"):
        return None
    length = headers.get("content-length") or "0"
    if not (length.isascii() and length.isdigit()):
        raise _turned_away(BAD_LENGTH)
    if len(length) > LONGEST_NUMBER or int(length) > BODY_BYTES:
        raise _turned_away(TOO_LARGE)
    return int(length)


def _network(scope: Any) -> str | None:
    return network_of(scope.client.rpartition(":")[0], scope.headers.get("x-forwarded-for") or "")


def _turned_away(answer: Answer) -> TurnedAway:
    metrics.PAGES_TURNED_AWAY.labels(answer.status[:3]).inc()
    return TurnedAway(answer)
