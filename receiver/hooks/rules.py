"""The rules of `/hooks/<store>/<token>/<event>`: which requests are accepted, and how each is answered.

They check token, method and size. They parse no body and use no database.
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
PROBE_METHODS = frozenset({"HEAD", "OPTIONS"})  # methods that carry no hook
PATH_PREFIX = "hooks/"
PATH_SEGMENTS = 3  # after the prefix: store, token, event
MAX_SEARCHED_SEGMENTS = 8  # segments of a path that are searched for a token
RETRY_AFTER_S = "5"  # seconds
MAX_LENGTH_DIGITS = 18  # a longer number is too large, and slow to convert


HeaderGetter = Callable[[str], str | None]  # lower-case header name -> value


class Answer(NamedTuple):
    """A response; `status` and `headers` as in WSGI."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


class RequestRejected(Exception):
    """The request is rejected; carries the answer."""

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
CORRUPT_ENCODING = _build_json_answer("400 Bad Request", b'{"error":"the body does not match its Content-Encoding"}')
UNSUPPORTED_ENCODING = _build_json_answer(
    "415 Unsupported Media Type",
    b'{"error":"send JSON or a form, uncompressed or compressed with gzip or deflate"}',
    ("Accept-Encoding", "gzip, deflate"),
)
INCOMPLETE = _build_json_answer("400 Bad Request", b'{"error":"incomplete body"}')
TOO_LARGE = _build_json_answer("413 Content Too Large", b'{"error":"too large"}')
REVOKED = _build_json_answer("410 Gone", b'{"error":"this URL was revoked"}')
UNAVAILABLE = _build_json_answer(
    "503 Service Unavailable", b'{"error":"try again later"}', ("Retry-After", RETRY_AFTER_S)
)
TOO_MANY = "429 Too Many Requests"
TOO_SLOW = _build_json_answer("408 Request Timeout", b'{"error":"too slow"}')
PROBE_ANSWER = Answer("200 OK", [("Content-Type", "application/json"), ("Cache-Control", "no-store")], b"")


class HookRoute(NamedTuple):
    """Store, token version and event of a request with a valid token."""

    store: str
    version: int
    event: str


@dataclass(frozen=True, slots=True)
class HookRules:
    """The rules and their dependencies."""

    verify_token: Callable[[str, str], int]  # store, token -> token version; raises InvalidToken
    max_bytes: int
    now: Callable[[], int]  # µs
    new_receipt: Callable[[int], str]  # time of arrival (µs) -> a new receipt
    tally: RejectionCounter = field(default_factory=RejectionCounter)
    is_revoked: Callable[[str, int], bool] = lambda _store, _version: False  # store, token version
    count_hook: Callable[[str], int] = lambda _store: 0  # store -> seconds until its next hook is accepted, 0 for now

    def parse_path(self, path: str) -> list[str] | None:
        """Return the path segments of a hook URL for `authorize`; None if the path is not a hook URL.

        Doubled and trailing slashes are ignored, and a proxy may have changed the prefix: with a valid token the path
        can mean only one hook. Any other path with a valid token is treated as a hook too, and rejected as one.
        """
        segments = [part for part in path.split("/") if part]
        behind = segments[1:] if path.lstrip("/")[: len(PATH_PREFIX)].lower() == PATH_PREFIX else None
        if behind is not None and len(behind) == PATH_SEGMENTS:
            return behind
        if self._find_signed_store(segments[-PATH_SEGMENTS:-1]):
            return segments[-PATH_SEGMENTS:]
        return segments if behind is None and self._find_signed_store(segments) else behind

    def authorize(self, method: str, segments: Sequence[str]) -> HookRoute | None:
        """Return the route of a request; None for a probe (HEAD). Every wrong URL raises the same RequestRejected.

        Store and event names are lower-case, so their case in the URL is ignored.
        """
        if len(segments) != PATH_SEGMENTS:
            raise self._reject_unrouted(method, segments, NOT_FOUND)
        if method not in ALLOWED_METHODS:
            raise self._reject_unrouted(method, segments, METHOD_NOT_ALLOWED)
        store, token, event = segments[0].lower(), segments[1], segments[2].lower()
        if EVENT_PATTERN.fullmatch(event) is None:
            raise self._reject_unrouted(method, segments, NOT_FOUND)
        try:
            version = self.verify_token(store, token)
        except InvalidToken:
            if method != "HEAD":
                metrics.REJECTED_HOOKS.labels(NOT_FOUND.status[:3]).inc()
            raise RequestRejected(NOT_FOUND) from None
        if method == "HEAD":
            if self.is_revoked(store, version):
                raise RequestRejected(REVOKED)
            return None
        return self._admit(HookRoute(store, version, event))

    def _admit(self, route: HookRoute) -> HookRoute:
        """Return the route. Raises RequestRejected if its URL is revoked, or its store sends too many hooks."""
        if self.is_revoked(route.store, route.version):
            raise self.reject(route.store, REVOKED)
        if wait_s := self.count_hook(route.store):
            raise self.reject(route.store, _build_too_many(wait_s))
        return route

    def reject(self, store: str, answer: Answer) -> RequestRejected:
        """Count and build a rejection of a hook with a valid token. Cratejoy does not send it again."""
        status = answer.status[:3]
        metrics.REJECTED_HOOKS.labels(status).inc()
        metrics.REJECTED_SIGNED_HOOKS.labels(status).inc()
        self.tally.add(store, status, self.now())
        return RequestRejected(answer)

    def _reject_unrouted(self, method: str, segments: Sequence[str], answer: Answer) -> RequestRejected:
        """Build a rejection for a wrong path or method. Counted only if the path has a valid token."""
        store = None if method in PROBE_METHODS else self._find_signed_store(segments)
        return RequestRejected(answer) if store is None else self.reject(store, answer)

    def _find_signed_store(self, segments: Sequence[str]) -> str | None:
        """Return the store whose name stands before a valid token of its own, if any."""
        for store, token in pairwise(segments[:MAX_SEARCHED_SEGMENTS]):
            if token[:1].isdigit() and "." in token:
                with contextlib.suppress(InvalidToken):
                    self.verify_token(store.lower(), token)
                    return store.lower()
        return None

    def build_hook(self, route: HookRoute, raw: bytes, query: str | None) -> RawHook:
        """Build the hook to be stored, with a new receipt."""
        at = self.now()
        return RawHook(self.new_receipt(at), route.store, route.version, route.event, at, raw, query)

    def parse_length(self, store: str, content_length: str | None) -> int | None:
        """Return the announced length; None for a chunked body. Raises RequestRejected if invalid or too large."""
        if not content_length:
            return None
        if not (content_length.isascii() and content_length.isdigit()):
            raise self.reject(store, BAD_LENGTH)
        if len(content_length) > MAX_LENGTH_DIGITS or int(content_length) > self.max_bytes:
            raise self.reject(store, TOO_LARGE)
        return int(content_length)

    def check_complete(self, store: str, length: int | None, missing: int) -> None:
        """Raise RequestRejected if a body is incomplete or too large. `missing`: allowed bytes not received."""
        if length is None and missing <= 0:
            raise self.reject(store, TOO_LARGE)
        if length is not None and missing:
            raise self.reject(store, INCOMPLETE)

    def parse_encoding(self, store: str, headers: HeaderGetter) -> str | None:
        """Return how the body is compressed; None if it is not. Raises RequestRejected if that is not supported."""
        content_encoding, content_type = headers("content-encoding"), headers("content-type")
        try:
            return get_body_encoding(content_encoding, content_type)
        except UnsupportedEncoding:
            raise self.reject(store, UNSUPPORTED_ENCODING) from None

    def decompress(self, store: str, encoding: str, body: bytes) -> bytes:
        """Return the decompressed body, at most `max_bytes` long. Raises RequestRejected."""
        try:
            return decompress_body(encoding, body, self.max_bytes)
        except DecompressedTooLarge:
            raise self.reject(store, TOO_LARGE) from None
        except CorruptBody:
            raise self.reject(store, CORRUPT_ENCODING) from None


def _build_too_many(wait_s: int) -> Answer:
    return _build_json_answer(TOO_MANY, b'{"error":"too many hooks of this store"}', ("Retry-After", str(wait_s)))


def build_hook_answer(hook: RawHook, route: Route) -> Answer:
    """Build the answer: the receipt, or 503 with Retry-After if the hook could not be stored."""
    if route == "refused":
        return UNAVAILABLE
    return _build_json_answer("200 OK", b'{"receipt":"%s"}' % hook.receipt.encode())
