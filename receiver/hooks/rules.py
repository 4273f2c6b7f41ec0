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

from pipeline.core.errors import InvalidToken
from pipeline.inbox.entry import RawHook
from pipeline.inbox.ingest import Route
from pipeline.inbox.rejections import RejectionCounter
from pipeline.infra import metrics
from receiver.hooks.content_encoding import (
    CorruptBody,
    DecompressedTooLarge,
    UnsupportedEncoding,
    decompress_body,
    get_body_encoding,
)

EVENT_PATTERN = re.compile(r"[a-z0-9_]{1,64}", re.ASCII)
ALLOWED_METHODS = frozenset({"POST", "GET", "HEAD"})
PROBE_METHODS = frozenset({"HEAD", "OPTIONS"})  # methods that bring no hook
PATH_PREFIX = "hooks/"
PATH_SEGMENTS = 3  # parts behind it: store, token, event
MAX_SEARCHED_SEGMENTS = 8  # of an address, in which a token is looked for
RETRY_AFTER_S = "5"  # seconds
MAX_LENGTH_DIGITS = 18  # digits; more is too large, and too slow to convert


HeaderGetter = Callable[[str], str | None]  # a header's value, by its name in small letters


class Answer(NamedTuple):
    """A response, in WSGI's terms."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


class RequestRejected(Exception):
    """The request cannot be taken; carries the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def _build_json_answer(status: str, body: bytes, *more: tuple[str, str]) -> Answer:
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    return Answer(status, [*headers, *more], body)


NOT_FOUND = _build_json_answer("404 Not Found", b'{"error":"not found"}')
METHOD_NOT_ALLOWED = _build_json_answer(
    "405 Method Not Allowed", b'{"error":"method not allowed"}', ("Allow", "GET, HEAD, POST")
)
BAD_LENGTH = _build_json_answer("400 Bad Request", b'{"error":"bad content length"}')
CORRUPT_ENCODING = _build_json_answer(
    "400 Bad Request", b'{"error":"the body is not packed as its Content-Encoding says"}'
)
UNSUPPORTED_ENCODING = _build_json_answer(
    "415 Unsupported Media Type",
    b'{"error":"send JSON or a form, plain or packed with gzip or deflate"}',
    ("Accept-Encoding", "gzip, deflate"),
)
INCOMPLETE = _build_json_answer("400 Bad Request", b'{"error":"incomplete body"}')
TOO_LARGE = _build_json_answer("413 Content Too Large", b'{"error":"too large"}')
REVOKED = _build_json_answer("410 Gone", b'{"error":"this address was revoked"}')
UNAVAILABLE = _build_json_answer(
    "503 Service Unavailable", b'{"error":"try again later"}', ("Retry-After", RETRY_AFTER_S)
)
TOO_SLOW = _build_json_answer("408 Request Timeout", b'{"error":"too slow"}')
PROBE_ANSWER = Answer("200 OK", [("Content-Type", "application/json"), ("Cache-Control", "no-store")], b"")


class HookRoute(NamedTuple):
    """Where a request with a good token wants to go."""

    store: str
    version: int
    event: str


@dataclass(frozen=True, slots=True)
class HookRules:
    """The rules and what they need."""

    verify: Callable[[str, str], int]  # store, token -> token version, or InvalidToken
    max_bytes: int
    now: Callable[[], int]  # µs
    receipt: Callable[[int], str]  # a new one, for a hook received then
    tally: RejectionCounter = field(default_factory=RejectionCounter)
    is_revoked: Callable[[str, int], bool] = lambda _store, _version: False  # store, token version

    def address(self, path: str) -> list[str] | None:
        """The parts of a hook's address, to admit; None if it is none.

        Slashes may be doubled or stand at the end, and a proxy may have changed what is in front: with a right token
        the address can mean only one hook. Whatever else holds such a token is a hook too, and turned away as one.
        """
        parts = [part for part in path.split("/") if part]
        behind = parts[1:] if path.lstrip("/")[: len(PATH_PREFIX)].lower() == PATH_PREFIX else None
        if behind is not None and len(behind) == PATH_SEGMENTS:
            return behind
        if self._find_signed_store(parts[-PATH_SEGMENTS:-1]):
            return parts[-PATH_SEGMENTS:]
        return parts if behind is None and self._find_signed_store(parts) else behind

    def admit(self, method: str, parts: Sequence[str]) -> HookRoute | None:
        """Where a request wants to go; None for a probe (HEAD). Every wrong address gets the same TurnedAway.

        The names of stores and events have no capitals, so an address may have them there.
        """
        if len(parts) != PATH_SEGMENTS:
            raise self._reject_unrouted(method, parts, NOT_FOUND)
        if method not in ALLOWED_METHODS:
            raise self._reject_unrouted(method, parts, METHOD_NOT_ALLOWED)
        store, token, event = parts[0].lower(), parts[1], parts[2].lower()
        if EVENT_PATTERN.fullmatch(event) is None:
            raise self._reject_unrouted(method, parts, NOT_FOUND)
        try:
            version = self.verify(store, token)
        except InvalidToken:
            if method != "HEAD":
                metrics.REJECTED_HOOKS.labels(NOT_FOUND.status[:3]).inc()
            raise RequestRejected(NOT_FOUND) from None
        if self.is_revoked(store, version):
            raise RequestRejected(REVOKED) if method == "HEAD" else self.lost(store, REVOKED)
        return None if method == "HEAD" else HookRoute(store, version, event)

    def lost(self, store: str, answer: Answer) -> RequestRejected:
        """For a hook with a right token that is not taken, and will not come again."""
        status = answer.status[:3]
        metrics.REJECTED_HOOKS.labels(status).inc()
        metrics.REJECTED_SIGNED_HOOKS.labels(status).inc()
        self.tally.add(store, status, self.now())
        return RequestRejected(answer)

    def _reject_unrouted(self, method: str, parts: Sequence[str], answer: Answer) -> RequestRejected:
        """For what is no hook by its address or method; it is lost if it brings a right token."""
        store = None if method in PROBE_METHODS else self._find_signed_store(parts)
        return RequestRejected(answer) if store is None else self.lost(store, answer)

    def _find_signed_store(self, parts: Sequence[str]) -> str | None:
        """The store that is named before a right token of its own, if there is one."""
        for store, token in pairwise(parts[:MAX_SEARCHED_SEGMENTS]):
            if token[:1].isdigit() and "." in token:
                with contextlib.suppress(InvalidToken):
                    self.verify(store.lower(), token)
                    return store.lower()
        return None

    def hook(self, place: HookRoute, raw: bytes, query: str | None) -> RawHook:
        """The hook as it is kept, with the receipt its sender will be told."""
        at = self.now()
        return RawHook(self.receipt(at), place.store, place.version, place.event, at, raw, query)

    def length(self, store: str, content_length: str | None) -> int | None:
        """The announced length; None for a chunked body. TurnedAway if it is no length, or too much."""
        if not content_length:
            return None
        if not (content_length.isascii() and content_length.isdigit()):
            raise self.lost(store, BAD_LENGTH)
        if len(content_length) > MAX_LENGTH_DIGITS or int(content_length) > self.max_bytes:
            raise self.lost(store, TOO_LARGE)
        return int(content_length)

    def whole(self, store: str, length: int | None, missing: int) -> None:
        """TurnedAway unless a body, of which so much was not seen, is whole and not too large."""
        if length is None and missing <= 0:
            raise self.lost(store, TOO_LARGE)
        if length is not None and missing:
            raise self.lost(store, INCOMPLETE)

    def parse_encoding(self, store: str, headers: HeaderGetter) -> str | None:
        """How the body is packed; None: not at all. TurnedAway if nothing here reads it, before it is read."""
        content_encoding, content_type = headers("content-encoding"), headers("content-type")
        try:
            return get_body_encoding(content_encoding, content_type)
        except UnsupportedEncoding:
            raise self.lost(store, UNSUPPORTED_ENCODING) from None

    def decompress(self, store: str, encoding: str, body: bytes) -> bytes:
        """The content of a packed body, which may be no longer than one that is not packed. Or TurnedAway."""
        try:
            return decompress_body(encoding, body, self.max_bytes)
        except DecompressedTooLarge:
            raise self.lost(store, TOO_LARGE) from None
        except CorruptBody:
            raise self.lost(store, CORRUPT_ENCODING) from None


def build_hook_answer(hook: RawHook, route: Route) -> Answer:
    """The receipt, or a plea to come again."""
    return (
        UNAVAILABLE if route == "refused" else _build_json_answer("200 OK", b'{"receipt":"%s"}' % hook.receipt.encode())
    )
