"""Two doors to the same rules: the fast path in front of Flask, and Flask's own view behind it."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import InvalidToken
from pipeline.inbox.raw_hook import RawHook
from pipeline.inbox.way_in import Condition, Way
from receiver.app import create_app
from receiver.intake import Intake
from receiver.wiring import Wiring

TOKEN = "7.right"
MAX_BYTES = 1_000
NOW = 1_700_000_000_000_000


@dataclass
class Keeper:
    """Stands where the writer would: keeps hooks in a list and says what it is told to say."""

    way: Way = "inbox"
    now: Condition | None = field(default_factory=lambda: Condition(redis=True, spool=True, spooled=0))
    kept: list[RawHook] = field(default_factory=list)

    def offer(self, hook: RawHook) -> Way:
        if self.way != "refused":
            self.kept.append(hook)
        return self.way

    def condition(self) -> Condition | None:
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


def make_app(keeper: Keeper):
    count = iter(range(1, 1_000))
    intake = Intake(verify, keeper.offer, MAX_BYTES, lambda: NOW, lambda at: f"{at}-{next(count)}")
    return create_app(None, Wiring(intake, keeper))


@dataclass
class Door:
    """Sends WSGI requests to one of the two."""

    keeper: Keeper
    call: Any

    def send(self, method: str = "POST", path: str = f"/hooks/acme/{TOKEN}/order_new", body: bytes = b"{}", **environ):
        return send(self.call, method, path, body, **environ)


def send(call, method: str, path: str, body: bytes = b"", **environ) -> Reply:
    """A request; a body has its length unless `environ` says otherwise, None takes a key away."""
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
