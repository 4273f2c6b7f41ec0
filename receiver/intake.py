"""The rules of `/hooks/<store>/<token>/<event>`: who may hand in a hook, how large, and what is answered.

It checks the token and the size, has the raw bytes kept and answers; it parses nothing and touches no database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipeline import metrics
from pipeline.errors import InvalidToken
from pipeline.inbox.raw_hook import RawHook
from pipeline.inbox.way_in import Way
from pipeline.traces import span

EVENT = re.compile(r"[a-z0-9_]{1,64}", re.ASCII)
METHODS = frozenset({"POST", "GET", "HEAD"})
RETRY_AFTER = "5"  # seconds
CHUNK = 65_536
LONGEST_NUMBER = 18  # digits; more is too large, and too slow to convert


class Answer(NamedTuple):
    """A response, in WSGI's terms."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


class TurnedAway(Exception):
    """The request cannot be taken; carries the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def lost(answer: Answer) -> TurnedAway:
    """For a hook that is not taken and will not come again; what is no hook at all is not counted."""
    metrics.TURNED_AWAY.labels(answer.status[:3]).inc()
    return TurnedAway(answer)


def _json(status: str, body: bytes, *more: tuple[str, str]) -> Answer:
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    return Answer(status, [*headers, *more], body)


NOT_FOUND = _json("404 Not Found", b'{"error":"not found"}')
NOT_ALLOWED = _json("405 Method Not Allowed", b'{"error":"method not allowed"}', ("Allow", "GET, HEAD, POST"))
BAD_LENGTH = _json("400 Bad Request", b'{"error":"bad content length"}')
INCOMPLETE = _json("400 Bad Request", b'{"error":"incomplete body"}')
TOO_LARGE = _json("413 Content Too Large", b'{"error":"too large"}')
REFUSED = _json("503 Service Unavailable", b'{"error":"try again later"}', ("Retry-After", RETRY_AFTER))
TOO_SLOW = _json("408 Request Timeout", b'{"error":"too slow"}')
PROBED = Answer("200 OK", [("Content-Type", "application/json"), ("Cache-Control", "no-store")], b"")


class Place(NamedTuple):
    """Where a request with a good token wants to go."""

    store: str
    version: int
    event: str


@dataclass(frozen=True, slots=True)
class Intake:
    """The rules with what they need; the same for the fast path and for Flask."""

    verify: Callable[[str, str], int]  # store, token -> token version, or InvalidToken
    offer: Callable[[RawHook], Way]  # returns when the hook is durable
    max_bytes: int
    now: Callable[[], int]  # µs
    receipt: Callable[[int], str]  # a new one, for a hook received then

    def take(
        self, method: str, parts: Sequence[str], query: str, content_length: str | None, read: Callable[[int], bytes]
    ) -> Answer:
        """Answer one request. `parts` is the path behind `/hooks/`, split at its slashes."""
        try:
            place = self.admit(method, parts)
            if place is None:
                return PROBED
            raw = self._body(content_length, read)
        except TurnedAway as turned:
            return turned.answer
        hook = self.hook(place, raw, query if method == "GET" else None)
        with metrics.ACKNOWLEDGED.time(), span("acknowledge", receipt=hook.receipt, event=hook.event):
            return answer_to_sender(hook, self.offer(hook))

    def admit(self, method: str, parts: Sequence[str]) -> Place | None:
        """Where a request wants to go; None for a probe (HEAD). Every wrong address gets the same TurnedAway."""
        if len(parts) != 3:  # noqa: PLR2004 store, token, event
            raise TurnedAway(NOT_FOUND)
        if method not in METHODS:
            raise TurnedAway(NOT_ALLOWED)
        store, token, event = parts
        if EVENT.fullmatch(event) is None:
            raise TurnedAway(NOT_FOUND)
        try:
            version = self.verify(store, token)
        except InvalidToken:
            raise (TurnedAway if method == "HEAD" else lost)(NOT_FOUND) from None
        return None if method == "HEAD" else Place(store, version, event)

    def hook(self, place: Place, raw: bytes, query: str | None) -> RawHook:
        """The hook as it is kept, with the receipt its sender will be told."""
        at = self.now()
        return RawHook(self.receipt(at), place.store, place.version, place.event, at, raw, query)

    def length(self, content_length: str | None) -> int | None:
        """The announced length; None for a chunked body. TurnedAway if it is no length, or too much."""
        if not content_length:
            return None
        if not (content_length.isascii() and content_length.isdigit()):
            raise lost(BAD_LENGTH)
        if len(content_length) > LONGEST_NUMBER or int(content_length) > self.max_bytes:
            raise lost(TOO_LARGE)
        return int(content_length)

    def whole(self, length: int | None, missing: int) -> None:
        """TurnedAway unless a body, of which so much was not seen, is whole and not too large."""
        if length is None and missing <= 0:
            raise lost(TOO_LARGE)
        if length is not None and missing:
            raise lost(INCOMPLETE)

    def _body(self, content_length: str | None, read: Callable[[int], bytes]) -> bytes:
        """The whole body, or TurnedAway."""
        length = self.length(content_length)
        wanted = self.max_bytes + 1 if length is None else length
        chunks: list[bytes] = []
        while wanted and (chunk := read(min(wanted, CHUNK))):
            chunks.append(chunk)
            wanted -= len(chunk)
        self.whole(length, wanted)
        return b"".join(chunks)


def answer_to_sender(hook: RawHook, way: Way) -> Answer:
    """The receipt, or a plea to come again."""
    return REFUSED if way == "refused" else _json("200 OK", b'{"receipt":"%s"}' % hook.receipt.encode())
