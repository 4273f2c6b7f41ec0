"""Granian's own interface, in front of everything: hooks are answered on the event loop, pages by Flask in a thread.

A hook costs less here than a thread hand-over, and a sender that dawdles holds no thread. The rules are the intake's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # granian exports it without saying so

from pipeline import metrics
from pipeline.inbox.writer import PATIENCE, Writer
from pipeline.traces import span
from receiver.charset import in_utf8
from receiver.intake import INCOMPLETE, PROBED, REFUSED, TOO_SLOW, Answer, Intake, Place, TurnedAway, answer_to_sender
from receiver.overdue import Overdue
from receiver.page_bodies import PageBodies
from receiver.pages.door import MOST
from receiver.room import Body, NoRoom, Room
from receiver.wsgi_bridge import run_wsgi

BODY_SECONDS = 30.0  # how long a hook's body may take
ONE_STORE_BYTES = 64_000_000  # of bodies under way; a quarter of what all stores together may have
THREADS = MOST + 10  # the loop's own pool has six on two cores: as many as people may fill with pages


class HTTP(Protocol):
    """Granian's side of one request; its body comes whole or in chunks."""

    def __call__(self) -> Any: ...
    def __aiter__(self) -> Any: ...
    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...


class Front:
    """An RSGI application."""

    def __init__(
        self,
        intake: Intake,
        writer: Writer,
        pages: Callable[..., Any],
        overdue: Overdue | None = None,
        page_bodies: PageBodies | None = None,
    ) -> None:
        self._overdue = overdue or Overdue(BODY_SECONDS + PATIENCE)
        self._intake = intake
        self._writer = writer
        self._pages = pages
        self._hooks_room = _hooks_room(intake.max_bytes)
        self._page_bodies = page_bodies or PageBodies()
        self._threads = ThreadPoolExecutor(THREADS, "pages")
        self._unpacking = ThreadPoolExecutor(1, "unpacking")

    def __rsgi_init__(self, _loop: asyncio.AbstractEventLoop) -> None:
        self._writer.start()

    def __rsgi_del__(self, _loop: asyncio.AbstractEventLoop) -> None:
        self._writer.stop()

    async def __rsgi__(self, scope: Any, http: HTTP) -> None:
        try:
            parts = self._intake.address(scope.path)
            answer = await (self._page(scope, http) if parts is None else self._hook(scope, http, parts))
        except TurnedAway as turned:
            answer = turned.answer
        http.response_bytes(int(answer.status[:3]), answer.headers, b"" if scope.method == "HEAD" else answer.body)

    async def _hook(self, scope: Any, http: HTTP, parts: list[str]) -> Answer:
        place = self._intake.admit(scope.method, parts)
        if place is None:
            return PROBED
        try:
            with self._overdue.watched(), self._hooks_room.body(place.store) as body:
                return await self._take(scope, http, place, body)
        except NoRoom:
            raise self._intake.lost(place.store, REFUSED) from None
        except TimeoutError:
            raise self._intake.lost(place.store, TOO_SLOW) from None

    async def _take(self, scope: Any, http: HTTP, place: Place, body: Body) -> Answer:
        length = self._intake.length(place.store, scope.headers.get("content-length"))
        coding = self._intake.coding(place.store, scope.headers.get)
        raw = await self._body(http, place.store, length, body)
        if coding is not None:
            raw = await self._unpacked(place.store, coding, raw, body)
        raw = in_utf8(scope.headers.get("content-type"), raw, self._intake.max_bytes)
        hook = self._intake.hook(place, raw, scope.query_string if scope.method == "GET" else None)
        with metrics.ACKNOWLEDGED.time(), span("acknowledge", receipt=hook.receipt, event=hook.event):
            return answer_to_sender(hook, await self._writer.promise(hook))

    async def _body(self, http: HTTP, store: str, length: int | None, body: Body) -> bytes:
        if length == 0:
            return b""
        if length is None:
            return await self._chunked(http, store, body)
        body.grow(length)  # before anything is read: the server below us keeps what comes
        try:
            raw: bytes = await http()  # no more than was announced; a loop over chunks costs twice as much
        except ProtocolClosed:
            raise self._intake.lost(store, INCOMPLETE) from None
        self._intake.whole(store, length, length - len(raw))
        return raw

    async def _chunked(self, http: HTTP, store: str, body: Body) -> bytes:
        """A body that breaks off ends here like a whole one; it cannot be read then, and dies with its bytes.

        Granian (2.8.9 still) tells them apart only to whoever reads all of it at once (`await http()`), however long
        it is. In a loop the break is an empty chunk, as trailers are, and `client_disconnect()` knows nothing of it.
        """
        missing = self._intake.max_bytes + 1
        chunks: list[bytes] = []
        async for chunk in http:
            body.grow(len(chunk))
            chunks.append(chunk)
            missing -= len(chunk)
            if missing <= 0:
                break
        self._intake.whole(store, None, missing)
        return b"".join(chunks)

    async def _unpacked(self, store: str, coding: str, raw: bytes, body: Body) -> bytes:
        """In a thread, since it may take as long as a hundred hooks; one at a time, so that one core is left."""
        loop = asyncio.get_running_loop()
        content = await loop.run_in_executor(self._unpacking, self._intake.unpacked, store, coding, raw)
        body.grow(len(content))
        return content

    async def _page(self, scope: Any, http: HTTP) -> Answer:
        """However long it takes: a thread cannot be called off, and what it has saved must be answered."""
        sent = await self._page_bodies.read(scope, http)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, run_wsgi, self._pages, scope, sent)


def _hooks_room(max_hook_bytes: int) -> Room:
    """Room for the hooks under way. A store that fills its own leaves the others theirs."""
    share = max(ONE_STORE_BYTES, 2 * max_hook_bytes)
    return Room(4 * share, share)
