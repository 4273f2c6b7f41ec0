"""The live stream of the pages (server-sent events): says that something has changed in the reader's stores.

A stream costs no thread and no query of its own: one look a second at the stores of all readers serves them all, and
without a reader there is none. What has changed is not in the stream: the page asks for it, with its own log-in.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from typing import Any

import structlog
from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # not in granian's __all__

from receiver.hooks.rules import Answer

STORES_HEADER = "X-Live-Stores"  # of the pages' answer: ids of the stores that the reader may see
INTERVAL_S = 1.0
STREAM_LIFE_S = 60.0  # then the browser asks again, so that a log-out ends the stream too
MAX_STREAMS = 200
LoadChangeTokens = Callable[[Collection[int]], Mapping[int, str]]

_FULL = [("content-type", "text/plain"), ("retry-after", "60")]
_log = structlog.get_logger(__name__)


class LiveStreams:
    """All streams of this process. `load_tokens`: store ids -> a text for each that changes when the store does."""

    def __init__(self, load_tokens: LoadChangeTokens, threads: Executor) -> None:
        self._load_tokens = load_tokens
        self._threads = threads
        self._watched: Counter[int] = Counter()
        self._streams = 0
        self._tokens: Mapping[int, str] = {}
        self._looking: asyncio.Task[None] | None = None

    @staticmethod
    def is_begun_by(answer: Answer) -> bool:
        """Whether the pages have answered that a stream begins."""
        return any(name == STORES_HEADER.lower() for name, _ in answer.headers)

    async def run(self, http: Any, answer: Answer) -> None:
        """Answer a request with a stream, until it is old or the reader leaves. `http`: granian's protocol object."""
        headers = dict(answer.headers)
        store_ids = [int(number) for number in headers.pop(STORES_HEADER.lower()).split(",") if number]
        headers.pop("content-length", None)
        if self._streams >= MAX_STREAMS:
            http.response_bytes(503, _FULL, b"Too many readers at the moment.")
            return
        self._begin(store_ids)
        try:
            transport = http.response_stream(200, list(headers.items()))
            await transport.send_bytes(answer.body)
            await self._send_changes(transport, store_ids)
        except ProtocolClosed:
            pass  # the reader has left
        finally:
            self._end(store_ids)

    async def _send_changes(self, transport: Any, store_ids: Collection[int]) -> None:
        """Send `changed` whenever something has, and `ping` every second otherwise."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + STREAM_LIFE_S
        known = None
        while loop.time() < ends_at:
            token = ",".join(self._tokens.get(store_id, "") for store_id in sorted(store_ids))
            await transport.send_str(f"event: {'ping' if token == known else 'changed'}\ndata: {token}\n\n")
            known = token
            await asyncio.sleep(INTERVAL_S)

    def _begin(self, store_ids: Collection[int]) -> None:
        self._streams += 1
        self._watched.update(store_ids)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    def _end(self, store_ids: Collection[int]) -> None:
        self._streams -= 1
        self._watched.subtract(store_ids)
        self._watched += Counter()  # drops those at zero

    async def _look(self) -> None:
        """Load the tokens of all watched stores, once a second, until no stream is left."""
        loop = asyncio.get_running_loop()
        while self._streams:
            try:
                self._tokens = await loop.run_in_executor(self._threads, self._load_tokens, list(self._watched))
            except Exception as error:  # noqa: BLE001  the database may be away; the streams go on and try again
                _log.warning("live_look_failed", error=type(error).__name__)
            await asyncio.sleep(INTERVAL_S)
