"""Segment's HTTP API as a WSGI application, with control paths under `/_sandbox`."""

import gzip
import json
import threading
from collections import Counter, deque
from itertools import islice
from typing import Any

from flask import Flask, Response, request

from sandbox.segment.source import Source

MAX_BODY_BYTES = 500_000


class World:
    """A source, and how it answers. `refuses_keys`: a wrong key is answered with 401, as RudderStack does."""

    def __init__(self, write_key: str, *, refuses_keys: bool = False) -> None:
        """Know one write key."""
        self.write_key = write_key
        self.refuses_keys = refuses_keys
        self.lock = threading.Lock()
        self.next_answers: deque[dict[str, Any]] = deque()
        self.statuses: Counter[str] = Counter()
        self.source = Source()

    def answer(self, kind: str, user: str | None, body: bytes) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Return status, JSON and headers for a call."""
        if self.next_answers:
            fault = self.next_answers.popleft()
            return fault["status"], {}, {name: str(value) for name, value in fault.get("headers", {}).items()}
        if len(body) > MAX_BODY_BYTES:
            return 400, {"code": "invalid_request", "message": "exceeds the limit of 500 kB"}, {}
        try:
            content = json.loads(body)
        except ValueError:
            content = None
        if not isinstance(content, dict) or (kind == "batch" and not isinstance(content.get("batch"), list)):
            return 400, {"code": "invalid_request", "message": "malformed JSON"}, {}
        if (user or content.get("writeKey")) != self.write_key:
            self.source.dropped["a wrong write key"] += 1
            return (401, {"message": "invalid write key"}, {}) if self.refuses_keys else (200, {"success": True}, {})
        if kind == "batch":
            self.source.take_batch(content["batch"])
        else:
            self.source.take_call(kind, content)
        return 200, {"success": True}, {}


def create_app(world: World) -> Flask:
    """Return the application."""
    app = Flask("sandbox.segment", static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = True  # an error in the sandbox is a bug and must be seen

    @app.post("/v1/<any(batch, import, identify, track, page, screen, group, alias):kind>")
    def take(kind: str) -> Response:
        user = request.authorization.username if request.authorization else None
        with world.lock:
            status, content, headers = world.answer("batch" if kind == "import" else kind, user, _read_body())
            world.statuses[str(status)] += 1
        return Response(json.dumps(content), status, headers, content_type="application/json")

    @app.get("/_sandbox/people")
    def people() -> Any:
        offset, limit = request.args.get("offset", 0, int), request.args.get("limit", 10**9, int)
        with world.lock:
            return [person.as_json() for person in islice(world.source.people, offset, offset + limit)]

    @app.get("/_sandbox/stats")
    def stats() -> Any:
        with world.lock:
            source = world.source
            return {
                "people": sum(1 for _ in source.people),
                "events": sum(len(person.events) for person in source.people),
                "dropped": dict(source.dropped),
                "calls": len(source.calls),
                "statuses": dict(world.statuses),
            }

    @app.get("/_sandbox/calls")
    def calls() -> Any:
        return world.source.calls

    @app.post("/_sandbox/answers")
    def answer_next() -> Any:
        """Set the next answers: a JSON list of {"status", "headers"}."""
        world.next_answers.extend(request.get_json())
        return {"answers": len(world.next_answers)}

    @app.post("/_sandbox/switches")
    def switch() -> Any:
        """Set `write_key` or `refuses_keys`."""
        world.write_key = request.get_json().get("write_key", world.write_key)
        world.refuses_keys = bool(request.get_json().get("refuses_keys", world.refuses_keys))
        return {"write_key": world.write_key, "refuses_keys": world.refuses_keys}

    @app.post("/_sandbox/reset")
    def reset() -> Any:
        with world.lock:
            world.source = Source()
        return {}

    return app


def _read_body() -> bytes:
    """Return the body, which clients may compress."""
    raw = request.get_data()
    return gzip.decompress(raw) if request.headers.get("Content-Encoding") == "gzip" else raw
