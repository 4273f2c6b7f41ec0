"""The RSGI application that granian runs: answers hooks on the event loop, and other requests by Flask in a thread.

A hook costs less than a switch to a thread, and a slow sender holds no thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # not in granian's __all__

from pipeline.inbox.batch_writer import RESULT_TIMEOUT_S, BatchWriter
from pipeline.infra import metrics
from pipeline.infra.tracing import span
from receiver.hooks.body_budget import BodyBudget, BodyBudgetExceeded, BodyReservation
from receiver.hooks.charset import convert_to_utf8
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
from receiver.live import LiveStreams, LoadChangeTokens
from receiver.pages.lazy_app import MAX_PAGE_REQUESTS
from receiver.problem_details import convert_to_problem, is_of_api

HOOK_BODY_TIMEOUT_S = 30.0  # time limit for a hook: body and answer
MAX_STORE_BYTES = 64_000_000  # of a store's bodies in memory; a quarter of the total for all stores
PAGE_THREADS = MAX_PAGE_REQUESTS + 10  # the loop's default pool has six on two cores, which pages alone can fill


class RsgiProtocol(Protocol):
    """Granian's protocol object for one request; reads the body whole or in chunks."""

    def __call__(self) -> Any: ...
    def __aiter__(self) -> Any: ...
    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...
    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> Any: ...


class HookServer:
    """An RSGI application."""

    def __init__(
        self,
        rules: HookRules,
        writer: BatchWriter,
        pages: Callable[..., Any],
        timeouts: RequestTimeouts | None = None,
        page_bodies: PageBodyReader | None = None,
        load_change_tokens: LoadChangeTokens | None = None,
    ) -> None:
        self._timeouts = timeouts or RequestTimeouts(HOOK_BODY_TIMEOUT_S + RESULT_TIMEOUT_S)
        self._rules = rules
        self._writer = writer
        self._pages = pages
        self._hook_budget = _build_hook_budget(rules.max_bytes)
        self._page_bodies = page_bodies or PageBodyReader()
        self._threads = ThreadPoolExecutor(PAGE_THREADS, "pages")
        self._live = LiveStreams(load_change_tokens, self._threads) if load_change_tokens else None
        self._decompression_thread = ThreadPoolExecutor(1, "unpacking")

    def __rsgi_init__(self, _loop: asyncio.AbstractEventLoop) -> None:
        self._writer.start()

    def __rsgi_del__(self, _loop: asyncio.AbstractEventLoop) -> None:
        self._writer.stop()

    async def __rsgi__(self, scope: Any, http: RsgiProtocol) -> None:
        try:
            segments = self._rules.parse_path(scope.path)
            answer = await (
                self._handle_page(scope, http) if segments is None else self._handle_hook(scope, http, segments)
            )
        except RequestRejected as rejected:
            answer = convert_to_problem(rejected.answer) if is_of_api(scope.path) else rejected.answer
        if self._live is not None and scope.method == "GET" and self._live.is_begun_by(answer):
            await self._live.run(http, answer)
            return
        http.response_bytes(int(answer.status[:3]), answer.headers, b"" if scope.method == "HEAD" else answer.body)

    async def _handle_hook(self, scope: Any, http: RsgiProtocol, segments: list[str]) -> Answer:
        route = self._rules.authorize(scope.method, segments)
        if route is None:
            return PROBE_ANSWER
        try:
            with self._timeouts.limit(), self._hook_budget.new_reservation(route.store) as body:
                return await self._accept_hook(scope, http, route, body)
        except BodyBudgetExceeded:
            raise self._rules.reject(route.store, UNAVAILABLE) from None
        except TimeoutError:
            raise self._rules.reject(route.store, TOO_SLOW) from None

    async def _accept_hook(self, scope: Any, http: RsgiProtocol, route: HookRoute, body: BodyReservation) -> Answer:
        length = self._rules.parse_length(route.store, scope.headers.get("content-length"))
        encoding = self._rules.parse_encoding(route.store, scope.headers.get)
        raw = await self._read_body(http, route.store, length, body)
        if encoding is not None:
            raw = await self._decompress(route.store, encoding, raw, body)
        raw = convert_to_utf8(scope.headers.get("content-type"), raw, self._rules.max_bytes)
        hook = self._rules.build_hook(route, raw, scope.query_string if scope.method == "GET" else None)
        with metrics.ACKNOWLEDGEMENT_SECONDS.time(), span("acknowledge", receipt=hook.receipt, event=hook.event):
            return build_hook_answer(hook, await self._writer.submit_async(hook))

    async def _read_body(self, http: RsgiProtocol, store: str, length: int | None, body: BodyReservation) -> bytes:
        if length == 0:
            return b""
        if length is None:
            return await self._read_chunked(http, store, body)
        body.grow(length)  # before anything is read: granian buffers what arrives
        try:
            raw: bytes = await http()  # at most as long as announced; a loop over chunks costs twice as much
        except ProtocolClosed:
            raise self._rules.reject(store, INCOMPLETE) from None
        self._rules.check_complete(store, length, length - len(raw))
        return raw

    async def _read_chunked(self, http: RsgiProtocol, store: str, body: BodyReservation) -> bytes:
        """Read a chunked body. A truncated one looks complete here: it becomes a dead hook with its bytes.

        Granian (as of 2.8.9) reports the difference only when the whole body is read at once (`await http()`), whatever
        its length. In a loop a disconnect is an empty chunk, as trailers are; `client_disconnect()` does not report it.
        """
        missing = self._rules.max_bytes + 1
        chunks: list[bytes] = []
        async for chunk in http:
            body.grow(len(chunk))
            chunks.append(chunk)
            missing -= len(chunk)
            if missing <= 0:
                break
        self._rules.check_complete(store, None, missing)
        return b"".join(chunks)

    async def _decompress(self, store: str, encoding: str, raw: bytes, body: BodyReservation) -> bytes:
        """Decompress in a thread, as it may take as long as 100 hooks; one at a time, so that one core stays free."""
        loop = asyncio.get_running_loop()
        content = await loop.run_in_executor(self._decompression_thread, self._rules.decompress, store, encoding, raw)
        body.grow(len(content))
        return content

    async def _handle_page(self, scope: Any, http: RsgiProtocol) -> Answer:
        """Answer a page request. No timeout: a thread cannot be cancelled, and what it saved must be answered."""
        sent = await self._page_bodies.read(scope, http)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, run_wsgi, self._pages, scope, sent)


def _build_hook_budget(max_hook_bytes: int) -> BodyBudget:
    """Build the budget for bodies in memory. A store that uses up its share leaves the others theirs."""
    share = max(MAX_STORE_BYTES, 2 * max_hook_bytes)
    return BodyBudget(4 * share, share)
