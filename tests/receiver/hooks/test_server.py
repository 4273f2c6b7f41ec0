"""Pages run in threads of their own, without a timeout."""

from __future__ import annotations

import asyncio
import io
import threading
from types import SimpleNamespace

from receiver.hooks.rules import HookRules
from receiver.hooks.server import MAX_STORE_BYTES, HookServer
from receiver.pages.lazy_app import MAX_PAGE_REQUESTS
from tests.receiver.hook_servers import FakeHookSink, Headers, Request, make_server


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
    """On a small machine the loop's default pool has no more threads than there may be page requests."""
    leave = threading.Event()

    def app(environ, start):
        if environ["PATH_INFO"] != "/healthz":
            leave.wait(60)
        start("200 OK", [])
        return [b""]

    async def healthy_among_pages():
        server = HookServer(make_server(FakeHookSink())._rules, None, app)
        slow = [
            asyncio.create_task(server.__rsgi__(scope("/connect"), Request(io.BytesIO())))
            for _ in range(MAX_PAGE_REQUESTS)
        ]
        request = Request(io.BytesIO())
        await asyncio.wait_for(server.__rsgi__(scope("/healthz"), request), 30)
        leave.set()
        await asyncio.gather(*slow)
        return request.reply.status

    try:
        assert asyncio.run(healthy_among_pages()) == 200
    finally:
        leave.set()


class Dawdling:
    """A hook whose body does not arrive; `asked` is set when it is waited for."""

    def __init__(self):
        self.asked = asyncio.Event()

    async def __call__(self):
        self.asked.set()
        await asyncio.Event().wait()


def hook(token, length):
    return SimpleNamespace(
        method="POST",
        path=f"/hooks/{token}/order_new",
        query_string="",
        headers=Headers({"content-length": str(length)}),
    )


def test_a_store_whose_bodies_do_not_come_leaves_the_others_their_room():
    """Announced bytes are counted before they arrive, or a thousand bodies could fill the memory."""
    size = MAX_STORE_BYTES // 2

    async def statuses():
        rules = HookRules(lambda _store, _token: 7, size, lambda: 1, str)
        server = HookServer(rules, FakeHookSink(), None)
        slow = [Dawdling() for _ in range(2)]
        tasks = [asyncio.create_task(server.__rsgi__(hook("acme/7.right", size), one)) for one in slow]
        for one in slow:
            await one.asked.wait()
        same, other = Request(io.BytesIO(b"{}")), Request(io.BytesIO(b"{}"))
        await server.__rsgi__(hook("acme/7.right", 2), same)
        await server.__rsgi__(hook("other/7.right", 2), other)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.__rsgi__(hook("acme/7.right", 2), again := Request(io.BytesIO(b"{}")))
        return same.reply.status, other.reply.status, again.reply.status

    assert asyncio.run(statuses()) == (503, 200, 200)
