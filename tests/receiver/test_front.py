"""The event loop's side of pages: they run in threads of their own number, as long as they take."""

from __future__ import annotations

import asyncio
import io
import threading
from types import SimpleNamespace

from receiver.front import Front
from receiver.pages.door import MOST
from tests.receiver.doors import Headers, Request


def scope(path):
    return SimpleNamespace(
        method="GET",
        path=path,
        query_string="",
        headers=Headers({}),
        server="localhost:80",
        client="127.0.0.1:5000",
        scheme="http",
        http_version="1.1",
        authority=None,
    )


def test_what_machines_ask_for_is_answered_while_the_pages_are_full():
    """The loop's own pool has as few threads on a small machine as there may be pages at once."""
    leave = threading.Event()

    def app(environ, start):
        if environ["PATH_INFO"] != "/healthz":
            leave.wait(60)
        start("200 OK", [])
        return [b""]

    async def healthy_among_pages():
        front = Front(None, None, app)
        slow = [asyncio.create_task(front.__rsgi__(scope("/connect"), Request(io.BytesIO()))) for _ in range(MOST)]
        request = Request(io.BytesIO())
        await asyncio.wait_for(front.__rsgi__(scope("/healthz"), request), 30)
        leave.set()
        await asyncio.gather(*slow)
        return request.reply.status

    try:
        assert asyncio.run(healthy_among_pages()) == 200
    finally:
        leave.set()
