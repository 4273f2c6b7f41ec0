"""The hook server without granian: a request goes in as WSGI's environment, and its answer comes out."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from flask import Flask

from pipeline.context import Context
from pipeline.core.errors import InvalidToken
from pipeline.inbox.entry import RawHook
from pipeline.inbox.ingest import IngestStatus, Route
from receiver.app import create_app
from receiver.hooks.build import WebComponents
from receiver.hooks.rules import HookRules
from receiver.hooks.server import HookServer
from receiver.hooks.timeouts import RequestTimeouts

TOKEN = "7.right"
HOOK = f"/hooks/acme/{TOKEN}/order_new"
MAX_BYTES = 1_000
CHUNK = 100  # bytes of a chunk of the fake granian
NOW = 1_700_000_000_000_000


HEADERS = {
    "content-length": "CONTENT_LENGTH",
    "content-type": "CONTENT_TYPE",
    "content-encoding": "HTTP_CONTENT_ENCODING",
}


@dataclass
class FakeHookSink:
    """A fake writer: keeps hooks in a list, and answers as it is set to."""

    route: Route = "inbox"
    revoked: bool = False
    now: IngestStatus | None = field(default_factory=lambda: IngestStatus(redis=True, spool=True, spooled_hooks=0))
    hooks: list[RawHook] = field(default_factory=list)

    def submit(self, hook: RawHook) -> Route:
        if self.route != "refused":
            self.hooks.append(hook)
        return self.route

    def submit_async(self, hook: RawHook) -> asyncio.Future[Route]:
        future: asyncio.Future[Route] = asyncio.get_running_loop().create_future()
        future.set_result(self.submit(hook))
        return future

    def get_status(self) -> IngestStatus | None:
        return self.now


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


def verify(store: str, token: str) -> int:
    if (store, token) != ("acme", TOKEN):
        raise InvalidToken("not ours")
    return 7


def make_app(sink: FakeHookSink, site: Context | None = None):
    count = iter(range(1, 1_000))
    rules = HookRules(
        verify,
        MAX_BYTES,
        lambda: NOW,
        lambda at: f"{at}-{next(count)}",
        is_revoked=lambda *_: sink.revoked,
    )
    return create_app(site and site.settings, WebComponents(rules, sink, pages_context=site))


def make_server(sink: FakeHookSink, overdue: RequestTimeouts | None = None) -> HookServer:
    return get_server(make_app(sink), overdue)


def get_server(app: Flask, overdue: RequestTimeouts | None = None) -> HookServer:
    parts = app.extensions["cratewire"]
    return HookServer(parts.rules, parts.writer, app.wsgi_app, overdue)


class Headers:
    """A fake of granian's headers."""

    def __init__(self, given: dict[str, str]) -> None:
        self._given = given

    def get(self, name: str) -> str | None:
        return self._given.get(name)

    def get_all(self, name: str) -> list[str]:
        return [self._given[name]]

    def keys(self) -> list[str]:
        return list(self._given)


class Request:
    """A fake of granian's protocol object: the body, whole or in chunks of at most 100 bytes, and the answer."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self.reply: Reply | None = None

    async def __call__(self) -> bytes:
        return self._body.read()

    async def __aiter__(self):
        while chunk := self._body.read(CHUNK):
            yield chunk

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.reply = Reply(status, dict(headers), body)


def as_wsgi(server: HookServer):
    """The hook server as a WSGI application, so that tests send it what they send to Flask."""

    def call(environ, start_response):
        text = {name: environ.get(name, "").encode("latin-1").decode() for name in ("PATH_INFO", "QUERY_STRING")}
        scope = SimpleNamespace(
            method=environ["REQUEST_METHOD"],
            path=text["PATH_INFO"],
            query_string=text["QUERY_STRING"],
            headers=Headers({name: environ[key] for name, key in HEADERS.items() if key in environ}),
            server="localhost:80",
            client="127.0.0.1:5000",
            scheme="http",
            http_version="1.1",
            authority=None,
        )
        request = Request(environ["wsgi.input"])
        asyncio.run(server.__rsgi__(scope, request))
        start_response(f"{request.reply.status} ", list(request.reply.headers.items()))
        return [request.reply.body]

    return call


@dataclass
class HookClient:
    """Sends WSGI requests to the hook server."""

    sink: FakeHookSink
    call: Any
    rules: HookRules

    def send(self, method: str = "POST", path: str = f"/hooks/acme/{TOKEN}/order_new", body: bytes = b"{}", **environ):
        return send(self.call, method, path, body, **environ)


def send(call, method: str, path: str, body: bytes = b"", **environ) -> Reply:
    """Send a request. `environ` overrides the environment, such as the length of the body; None removes a key."""
    path, _, query = path.partition("?")
    given: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": query.encode().decode("latin-1"),
        "CONTENT_LENGTH": str(len(body)) if body else None,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
    } | environ
    answer: dict[str, Any] = {}

    def start(status, headers, _exc_info=None):
        answer.update(status=int(status.split()[0]), headers=dict(headers))

    chunks = call({key: value for key, value in given.items() if value is not None}, start)
    answer["body"] = b"".join(chunks)
    if hasattr(chunks, "close"):
        chunks.close()
    return Reply(**answer)
