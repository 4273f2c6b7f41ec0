"""The rules of `/hooks/<store>/<token>/<event>`: where a hook may be handed in, how large, and what is answered.

It checks the token and the size, has the raw bytes kept and answers; it parses nothing and touches no database.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from pipeline import metrics
from pipeline.errors import InvalidToken
from pipeline.inbox.raw_hook import RawHook
from pipeline.inbox.turned_away import Tally
from pipeline.inbox.way_in import Way
from pipeline.traces import span
from receiver.charset import in_utf8
from receiver.packed import Broken, TooLong, Unread, coding_of, unpacked

EVENT = re.compile(r"[a-z0-9_]{1,64}", re.ASCII)
METHODS = frozenset({"POST", "GET", "HEAD"})
PROBES = frozenset({"HEAD", "OPTIONS"})  # methods that bring no hook
PREFIX = "hooks/"
ADDRESS = 3  # parts behind it: store, token, event
MOST_PARTS = 8  # of an address, in which a token is looked for
RETRY_AFTER = "5"  # seconds
CHUNK = 65_536
LONGEST_NUMBER = 18  # digits; more is too large, and too slow to convert


Headers = Callable[[str], str | None]  # a header's value, by its name in small letters


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


def _json(status: str, body: bytes, *more: tuple[str, str]) -> Answer:
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    return Answer(status, [*headers, *more], body)


NOT_FOUND = _json("404 Not Found", b'{"error":"not found"}')
NOT_ALLOWED = _json("405 Method Not Allowed", b'{"error":"method not allowed"}', ("Allow", "GET, HEAD, POST"))
BAD_LENGTH = _json("400 Bad Request", b'{"error":"bad content length"}')
BROKEN = _json("400 Bad Request", b'{"error":"the body is not packed as its Content-Encoding says"}')
UNREAD = _json(
    "415 Unsupported Media Type",
    b'{"error":"send JSON or a form, plain or packed with gzip or deflate"}',
    ("Accept-Encoding", "gzip, deflate"),
)
INCOMPLETE = _json("400 Bad Request", b'{"error":"incomplete body"}')
TOO_LARGE = _json("413 Content Too Large", b'{"error":"too large"}')
GONE = _json("410 Gone", b'{"error":"this address was revoked"}')
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
    tally: Tally = field(default_factory=Tally)
    is_revoked: Callable[[str, int], bool] = lambda _store, _version: False  # store, token version

    def take(
        self, method: str, parts: Sequence[str], query: str, headers: Headers, read: Callable[[int], bytes]
    ) -> Answer:
        """Answer one request. `parts` are those of its `address`."""
        try:
            place = self.admit(method, parts)
            if place is None:
                return PROBED
            coding = self.coding(place.store, headers)
            raw = self._body(place.store, headers("content-length"), read)
            if coding is not None:
                raw = self.unpacked(place.store, coding, raw)
            raw = in_utf8(headers("content-type"), raw, self.max_bytes)
        except TurnedAway as turned:
            return turned.answer
        hook = self.hook(place, raw, query if method == "GET" else None)
        with metrics.ACKNOWLEDGED.time(), span("acknowledge", receipt=hook.receipt, event=hook.event):
            return answer_to_sender(hook, self.offer(hook))

    def address(self, path: str) -> list[str] | None:
        """The parts of a hook's address, to admit; None if it is none.

        Slashes may be doubled or stand at the end, and a proxy may have changed what is in front: with a right token
        the address can mean only one hook. Whatever else holds such a token is a hook too, and turned away as one.
        """
        parts = [part for part in path.split("/") if part]
        behind = parts[1:] if path.lstrip("/")[: len(PREFIX)].lower() == PREFIX else None
        if behind is not None and len(behind) == ADDRESS:
            return behind
        if self._signed(parts[-ADDRESS:-1]):
            return parts[-ADDRESS:]
        return parts if behind is None and self._signed(parts) else behind

    def admit(self, method: str, parts: Sequence[str]) -> Place | None:
        """Where a request wants to go; None for a probe (HEAD). Every wrong address gets the same TurnedAway.

        The names of stores and events have no capitals, so an address may have them there.
        """
        if len(parts) != ADDRESS:
            raise self._unadmitted(method, parts, NOT_FOUND)
        if method not in METHODS:
            raise self._unadmitted(method, parts, NOT_ALLOWED)
        store, token, event = parts[0].lower(), parts[1], parts[2].lower()
        if EVENT.fullmatch(event) is None:
            raise self._unadmitted(method, parts, NOT_FOUND)
        try:
            version = self.verify(store, token)
        except InvalidToken:
            if method != "HEAD":
                metrics.TURNED_AWAY.labels(NOT_FOUND.status[:3]).inc()
            raise TurnedAway(NOT_FOUND) from None
        if self.is_revoked(store, version):
            raise TurnedAway(GONE) if method == "HEAD" else self.lost(store, GONE)
        return None if method == "HEAD" else Place(store, version, event)

    def lost(self, store: str, answer: Answer) -> TurnedAway:
        """For a hook with a right token that is not taken, and will not come again."""
        status = answer.status[:3]
        metrics.TURNED_AWAY.labels(status).inc()
        metrics.SIGNED_TURNED_AWAY.labels(status).inc()
        self.tally.note(store, status, self.now())
        return TurnedAway(answer)

    def _unadmitted(self, method: str, parts: Sequence[str], answer: Answer) -> TurnedAway:
        """For what is no hook by its address or method; it is lost if it brings a right token."""
        store = None if method in PROBES else self._signed(parts)
        return TurnedAway(answer) if store is None else self.lost(store, answer)

    def _signed(self, parts: Sequence[str]) -> str | None:
        """The store that is named before a right token of its own, if there is one."""
        for store, token in pairwise(parts[:MOST_PARTS]):
            if token[:1].isdigit() and "." in token:
                with contextlib.suppress(InvalidToken):
                    self.verify(store.lower(), token)
                    return store.lower()
        return None

    def hook(self, place: Place, raw: bytes, query: str | None) -> RawHook:
        """The hook as it is kept, with the receipt its sender will be told."""
        at = self.now()
        return RawHook(self.receipt(at), place.store, place.version, place.event, at, raw, query)

    def length(self, store: str, content_length: str | None) -> int | None:
        """The announced length; None for a chunked body. TurnedAway if it is no length, or too much."""
        if not content_length:
            return None
        if not (content_length.isascii() and content_length.isdigit()):
            raise self.lost(store, BAD_LENGTH)
        if len(content_length) > LONGEST_NUMBER or int(content_length) > self.max_bytes:
            raise self.lost(store, TOO_LARGE)
        return int(content_length)

    def whole(self, store: str, length: int | None, missing: int) -> None:
        """TurnedAway unless a body, of which so much was not seen, is whole and not too large."""
        if length is None and missing <= 0:
            raise self.lost(store, TOO_LARGE)
        if length is not None and missing:
            raise self.lost(store, INCOMPLETE)

    def coding(self, store: str, headers: Headers) -> str | None:
        """How the body is packed; None: not at all. TurnedAway if nothing here reads it, before it is read."""
        content_encoding, content_type = headers("content-encoding"), headers("content-type")
        try:
            return coding_of(content_encoding, content_type)
        except Unread:
            raise self.lost(store, UNREAD) from None

    def unpacked(self, store: str, coding: str, body: bytes) -> bytes:
        """The content of a packed body, which may be no longer than one that is not packed. Or TurnedAway."""
        try:
            return unpacked(coding, body, self.max_bytes)
        except TooLong:
            raise self.lost(store, TOO_LARGE) from None
        except Broken:
            raise self.lost(store, BROKEN) from None

    def _body(self, store: str, content_length: str | None, read: Callable[[int], bytes]) -> bytes:
        """The whole body, or TurnedAway."""
        length = self.length(store, content_length)
        wanted = self.max_bytes + 1 if length is None else length
        chunks: list[bytes] = []
        while wanted and (chunk := read(min(wanted, CHUNK))):
            chunks.append(chunk)
            wanted -= len(chunk)
        self.whole(store, length, wanted)
        return b"".join(chunks)


def answer_to_sender(hook: RawHook, way: Way) -> Answer:
    """The receipt, or a plea to come again."""
    return REFUSED if way == "refused" else _json("200 OK", b'{"receipt":"%s"}' % hook.receipt.encode())
