"""Granian's own interface, in front of everything: hooks are answered on the event loop, pages by Flask in a thread.

A hook costs less here than a thread hand-over, and a sender that dawdles holds no thread. The rules are the intake's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # granian exports it without saying so

from pipeline.inbox.batch_writer import RESULT_TIMEOUT_S, BatchWriter
from pipeline.infra import metrics
from pipeline.infra.tracing import span
from receiver.charset import in_utf8
from receiver.hooks.body_budget import BodyBudget, BodyBudgetExceeded, BodyReservation
from receiver.hooks.page_bodies import PageBodyReader
from receiver.hooks.rules import (
    INCOMPLETE,
    PROBE_ANSWER,
    TOO_SLOW,
    UNAVAILABLE,
    Answer,
    HookRoute,
    HookRules,
    RequestRejected,
    build_hook_answer,
)
from receiver.hooks.timeouts import RequestTimeouts
from receiver.hooks.wsgi_adapter import run_wsgi
from receiver.pages.lazy_app import MAX_PAGE_REQUESTS

HOOK_BODY_TIMEOUT_S = 30.0  # how long a hook's body may take
MAX_STORE_BYTES = 64_000_000  # of bodies under way; a quarter of what all stores together may have
PAGE_THREADS = MAX_PAGE_REQUESTS + 10  # the loop's own pool has six on two cores: as many as people may fill with pages


class RsgiProtocol(Protocol):
    """Granian's side of one request; its body comes whole or in chunks."""

    def __call__(self) -> Any: ...
    def __aiter__(self) -> Any: ...
    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...


class HookServer:
    """An RSGI application."""

    def __init__(
        self,
        rules: HookRules,
        writer: BatchWriter,
        pages: Callable[..., Any],
        timeouts: RequestTimeouts | None = None,
        page_bodies: PageBodyReader | None = None,
    ) -> None:
        self._timeouts = timeouts or RequestTimeouts(HOOK_BODY_TIMEOUT_S + RESULT_TIMEOUT_S)
        self._rules = rules
        self._writer = writer
        self._pages = pages
        self._hook_budget = _build_hook_budget(rules.max_bytes)
        self._page_bodies = page_bodies or PageBodyReader()
        self._threads = ThreadPoolExecutor(PAGE_THREADS, "pages")
        self._decompression_thread = ThreadPoolExecutor(1, "unpacking")

    def __rsgi_init__(self, _loop: asyncio.AbstractEventLoop) -> None:
        self._writer.start()

    def __rsgi_del__(self, _loop: asyncio.AbstractEventLoop) -> None:
        self._writer.stop()

    async def __rsgi__(self, scope: Any, http: RsgiProtocol) -> None:
        try:
            parts = self._rules.address(scope.path)
            answer = await (self._page(scope, http) if parts is None else self._handle_hook(scope, http, parts))
        except RequestRejected as turned:
            answer = turned.answer
        http.response_bytes(int(answer.status[:3]), answer.headers, b"" if scope.method == "HEAD" else answer.body)

    async def _handle_hook(self, scope: Any, http: RsgiProtocol, parts: list[str]) -> Answer:
        place = self._rules.admit(scope.method, parts)
        if place is None:
            return PROBE_ANSWER
        try:
            with self._timeouts.watched(), self._hook_budget.body(place.store) as body:
                return await self._take(scope, http, place, body)
        except BodyBudgetExceeded:
            raise self._rules.lost(place.store, UNAVAILABLE) from None
        except TimeoutError:
            raise self._rules.lost(place.store, TOO_SLOW) from None

    async def _take(self, scope: Any, http: RsgiProtocol, place: HookRoute, body: BodyReservation) -> Answer:
        length = self._rules.length(place.store, scope.headers.get("content-length"))
        coding = self._rules.parse_encoding(place.store, scope.headers.get)
        raw = await self._body(http, place.store, length, body)
        if coding is not None:
            raw = await self._decompress(place.store, coding, raw, body)
        raw = in_utf8(scope.headers.get("content-type"), raw, self._rules.max_bytes)
        hook = self._rules.hook(place, raw, scope.query_string if scope.method == "GET" else None)
        with metrics.ACKNOWLEDGEMENT_SECONDS.time(), span("acknowledge", receipt=hook.receipt, event=hook.event):
            return build_hook_answer(hook, await self._writer.submit_async(hook))

    async def _body(self, http: RsgiProtocol, store: str, length: int | None, body: BodyReservation) -> bytes:
        if length == 0:
            return b""
        if length is None:
            return await self._read_chunked(http, store, body)
        body.grow(length)  # before anything is read: the server below us keeps what comes
        try:
            raw: bytes = await http()  # no more than was announced; a loop over chunks costs twice as much
        except ProtocolClosed:
            raise self._rules.lost(store, INCOMPLETE) from None
        self._rules.whole(store, length, length - len(raw))
        return raw

    async def _read_chunked(self, http: RsgiProtocol, store: str, body: BodyReservation) -> bytes:
        """A body that breaks off ends here like a whole one; it cannot be read then, and dies with its bytes.

        Granian (2.8.9 still) tells them apart only to whoever reads all of it at once (`await http()`), however long
        it is. In a loop the break is an empty chunk, as trailers are, and `client_disconnect()` knows nothing of it.
        """
        missing = self._rules.max_bytes + 1
        chunks: list[bytes] = []
        async for chunk in http:
            body.grow(len(chunk))
            chunks.append(chunk)
            missing -= len(chunk)
            if missing <= 0:
                break
        self._rules.whole(store, None, missing)
        return b"".join(chunks)

    async def _decompress(self, store: str, coding: str, raw: bytes, body: BodyReservation) -> bytes:
        """In a thread, since it may take as long as a hundred hooks; one at a time, so that one core is left."""
        loop = asyncio.get_running_loop()
        content = await loop.run_in_executor(self._decompression_thread, self._rules.decompress, store, coding, raw)
        body.grow(len(content))
        return content

    async def _page(self, scope: Any, http: RsgiProtocol) -> Answer:
        """However long it takes: a thread cannot be called off, and what it has saved must be answered."""
        sent = await self._page_bodies.read(scope, http)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, run_wsgi, self._pages, scope, sent)


def _build_hook_budget(max_hook_bytes: int) -> BodyBudget:
    """Room for the hooks under way. A store that fills its own leaves the others theirs."""
    share = max(MAX_STORE_BYTES, 2 * max_hook_bytes)
    return BodyBudget(4 * share, share)
