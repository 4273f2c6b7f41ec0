"""Customer.io's Track API as small as the contract needs it, on loopback, written from its documentation.

Gives the answers that a test has set, otherwise the vendor's: region call, v2 batch with 207, v1 calls.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_V1 = re.compile(r"/api/v1/customers/([^/]+)(/events)?")
HANG_S = 60
_REMOVING = ("delete", "suppress")


@dataclass(frozen=True)
class CannedAnswer:
    """An answer given whatever was asked, `once` something has happened.

    `length` lies about the body's; `drop` answers nothing at all.
    """

    status: int = 200
    body: str = "{}\n"
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    drop: bool = False
    once: threading.Event | None = None


@dataclass(frozen=True)
class Call:
    """One call as it arrived, and which of its items were taken."""

    method: str
    path: str
    headers: Mapping[str, str]
    raw: bytes
    status: int | None
    taken: tuple[Mapping[str, Any], ...]  # v2 operations; a v1 call is written as one

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    def delivered(self) -> list[tuple[str, str, str | None]]:
        """(person, kind, event name) of what was taken."""
        kinds = {"identify": "profile", "event": "event"}
        return [
            (next(iter(one["identifiers"].values())), kinds[one["action"]], one.get("name"))
            for one in self.taken
            if one["action"] in kinds
        ]


class FakeTrack:
    """What the server was asked, and what it is to answer next."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.site_id, self.api_key, self.region = "site-1", "key-1", "us"
        self.calls: list[Call] = []
        self.profiles: list[set[tuple[str, str]]] = []  # the identifiers of each
        self.suppressed: set[tuple[str, str]] = set()
        self.next: deque[CannedAnswer] = deque()

    @property
    def config(self) -> dict[str, str]:
        return {"site_id": self.site_id, "api_key": self.api_key, "region": "us", "base_url": self.url}

    def handle(self, method: str, path: str, headers: Mapping[str, str], raw: bytes) -> CannedAnswer:
        canned = self.next.popleft() if self.next else None
        answer, taken = (canned, ()) if canned else self._natural(method, path, headers, raw)
        seen = {name.lower(): value for name, value in headers.items()}
        for operation in taken:
            self._apply(operation)
        self.calls.append(Call(method, path, seen, raw, None if answer.drop else answer.status, taken))
        return answer

    def _apply(self, operation: Mapping[str, Any]) -> None:
        """What becomes of the profiles: a suppressed identifier is ignored for ever."""
        named = set(operation["identifiers"].items())
        if email := operation.get("attributes", {}).get("email"):
            named.add(("email", email))
        met = [profile for profile in self.profiles if profile & named]
        if operation["action"] in _REMOVING:
            self.profiles = [profile for profile in self.profiles if profile not in met]
            self.suppressed |= named.union(*met) if operation["action"] == "suppress" else set()
        elif not named & self.suppressed:
            self.profiles = [profile for profile in self.profiles if profile not in met] + [named.union(*met)]

    def _natural(
        self, method: str, path: str, headers: Mapping[str, str], raw: bytes
    ) -> tuple[CannedAnswer, tuple[Any, ...]]:
        pair = base64.b64encode(f"{self.site_id}:{self.api_key}".encode()).decode()
        if headers.get("Authorization") != f"Basic {pair}":
            return CannedAnswer(401, '{"meta":{"error":"Unauthorized request"}}'), ()
        if path == "/api/v1/accounts/region":
            return CannedAnswer(200, json.dumps({"url": self.url, "region": self.region, "environment_id": 3})), ()
        if path == "/api/v2/batch":
            return _batch(json.loads(raw)["batch"])
        return _single(method, path, json.loads(raw))


@contextmanager
def fake_track() -> Iterator[FakeTrack]:
    """A running server; it ends with the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = track.handle(self.command, self.path, dict(self.headers), raw)
            if answer.once:
                answer.once.wait(HANG_S)
            if answer.drop:
                self.close_connection = True
                return
            body = answer.body.encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) if answer.length is None else answer.length))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = answer.length is not None

        do_GET = do_POST = do_PUT = answer  # noqa: N815 - the names http.server calls

        def log_message(self, *_: object) -> None:
            """Quiet: the calls are kept."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    track = FakeTrack(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield track
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _batch(operations: list[dict[str, Any]]) -> tuple[CannedAnswer, tuple[Any, ...]]:
    faults = [_fault(operation) for operation in operations]
    errors = [{"batch_index": place, **fault} for place, fault in enumerate(faults) if fault]
    taken = tuple(one for one, fault in zip(operations, faults, strict=True) if not fault)
    return (CannedAnswer(207, json.dumps({"errors": errors})) if errors else CannedAnswer()), taken


def _fault(operation: dict[str, Any]) -> dict[str, str] | None:
    """A stranger's id is repeated by the vendor in its message: ours must not keep it."""
    if len(operation["identifiers"]) != 1:
        return {"reason": "required", "field": "identifiers", "message": "exactly one identifier is needed"}
    if operation["action"] in _REMOVING:
        return None
    if operation["action"] == "event" and not _ULID.fullmatch(operation.get("id", "")):
        who = next(iter(operation["identifiers"].values()))
        return {"reason": "invalid", "field": "id", "message": f"event of {who} has no ULID"}
    too_long = [name for name, value in operation["attributes"].items() if len(str(value).encode()) > 1000]
    if operation["action"] == "identify" and too_long:
        return {
            "reason": "invalid",
            "field": f"attributes.{too_long[0]}",
            "message": "cannot be longer than 1000 bytes",
        }
    return None


def _single(method: str, path: str, body: dict[str, Any]) -> tuple[CannedAnswer, tuple[Any, ...]]:
    found = _V1.fullmatch(path)
    if found is None:
        return CannedAnswer(404, ""), ()
    who = unquote(found[1])
    identifiers = {"email" if "@" in who else "id": who}
    if method == "PUT":
        return CannedAnswer(), ({"identifiers": identifiers, "action": "identify", "attributes": body},)
    event = {"identifiers": identifiers, "action": "event", "name": body["name"], "id": body["id"]}
    return CannedAnswer(), ({**event, "attributes": body["data"]},)
