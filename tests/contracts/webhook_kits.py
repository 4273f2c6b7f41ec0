"""A receiver of signed web hooks: checks signatures with the reference library, takes each id once, and remembers."""

from __future__ import annotations

import base64
import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from pipeline.core.messages import Message, PersonRef
from pipeline.destinations.webhook import SignedWebhook
from pipeline.infra.http.client import wall_clock
from tests.contracts.kit import DeliveredMessage, Kit, RecordingHTTP

SECRET = "whsec_" + base64.b64encode(b"only for tests, and no secret.").decode()


@dataclass
class Receiver:
    """What it has taken, by the ids of people, and whom it has forgotten for good."""

    port: int = 0
    secret: str = SECRET
    next: deque[tuple[int, dict[str, str]]] = field(default_factory=deque)
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)
    profiles: set[frozenset[tuple[str, Any]]] = field(default_factory=set)
    suppressed: set[tuple[str, Any]] = field(default_factory=set)

    def answer(self, headers: dict[str, str], raw: bytes) -> tuple[int, dict[str, str]]:
        if self.next:
            return self.next.popleft()
        try:
            message = Webhook(self.secret).verify(raw, headers)
        except WebhookVerificationError:
            return 401, {}
        if message["data"].get("properties", {}).get("refused"):
            return 422, {}
        if headers["webhook-id"] not in self.taken and message["type"] != "webhook.test":
            self.take(message)
            self.taken[headers["webhook-id"]] = message
        return 204, {}

    def take(self, message: dict[str, Any]) -> None:
        data = message["data"]
        if message["type"].startswith("person."):
            gone = {item for one in data["identifiers"] for item in one.items()}
            self.profiles = {one for one in self.profiles if not one & gone}
            self.suppressed |= gone if message["type"] == "person.suppress" else set()
        elif not set(data["person"].items()) & self.suppressed:
            self.profiles.add(frozenset(data["person"].items()))


class WebhookKit:
    """Against that receiver."""

    platform = "webhook"
    lacks: frozenset[str] = frozenset()

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.http = RecordingHTTP(wall_clock)  # the library compares the signature's time with its own clock

    def config(self) -> dict[str, str]:
        return {"url": f"http://127.0.0.1:{self.receiver.port}/hooks?shop=acme", "secret": SECRET}

    def destination(self, **changed: str) -> SignedWebhook:
        return SignedWebhook({**self.config(), **changed}, self.http)

    def bodies(self) -> list[bytes]:
        return self.http.bodies

    def delivered(self) -> list[list[DeliveredMessage]]:
        return [
            [(_name(one["data"]["person"]), one["type"].partition(".")[0], one["data"].get("event"))]
            for one in self.receiver.taken.values()
        ]

    def knows(self, person: PersonRef) -> bool:
        named = {("customer_id", person.customer_id), ("email", person.email)}
        return any(one & named for one in self.receiver.profiles)

    def who(self, person: PersonRef) -> str:
        return str(person.customer_id or person.email)

    def unacceptable(self, message: Message) -> Message:
        return replace(message, data={**message.data, "refused": True})

    def answer_next(self, status: int, retry_after: int | None = None) -> None:
        self.receiver.next.append((status, {} if retry_after is None else {"Retry-After": str(retry_after)}))

    def revoke(self) -> None:
        self.receiver.secret = "whsec_" + base64.b64encode(b"another secret of the receiver").decode()

    def unreachable(self) -> SignedWebhook:
        return self.destination(url="http://127.0.0.1:1/hooks")

    def elsewhere(self) -> None:
        return None


@contextmanager
def webhook_kit() -> Iterator[Kit]:
    with running_receiver() as receiver:
        yield WebhookKit(receiver)


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """A receiver on loopback inside the block."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers = receiver.answer({name.lower(): value for name, value in self.headers.items()}, raw)
            body = b"" if status == 204 else json.dumps({"message": "refused"}).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _name(person: dict[str, Any]) -> str:
    return str(person.get("customer_id") or person["email"])
