"""Klaviyo's API as a WSGI application, with control paths under `/_sandbox`."""

import json
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from itertools import islice
from typing import Any

from flask import Flask, Response, request

from sandbox.klaviyo.calls import Account, Call
from sandbox.klaviyo.errors import Refusal, error
from sandbox.klaviyo.windows import Windows

JSON_API = "application/vnd.api+json"
OLDEST_REVISION = "2024-10-15"  # older ones are retired: two years
_REVISION = re.compile(r"\d{4}-\d{2}-\d{2}(\.pre)?")


class World:
    """An account, and how it answers. `tier` names its limits; None: there are none."""

    def __init__(self, api_key: str, *, tier: str | None = None, now: Callable[[], float] = time.time) -> None:
        """Know one private key."""
        self.api_key = api_key
        self.tier = tier
        self.now = now
        self.lock = threading.Lock()
        self.next_answers: deque[dict[str, Any]] = deque()
        self.reset()

    def reset(self) -> None:
        """Forget everyone."""
        self.account = Account(self.now)
        self.windows = Windows(self.now)
        self.statuses: Counter[str] = Counter()


def create_app(world: World) -> Flask:
    """Return the application."""
    app = Flask("sandbox.klaviyo", static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = True  # an error in the sandbox is a bug and must be seen
    app.url_map.strict_slashes = False

    @app.route("/api/<path:path>", methods=["GET", "POST", "PATCH"])
    def take(path: str) -> Response:
        with world.lock:
            status, content, headers = _answer(world, request.method, path.rstrip("/"))
            world.statuses[str(status)] += 1
        body = b"" if content is None else json.dumps(content).encode()
        return Response(body, status, headers, content_type=JSON_API)

    @app.get("/_sandbox/people")
    def people() -> Any:
        offset, limit = request.args.get("offset", 0, int), request.args.get("limit", 10**9, int)
        with world.lock:
            return [one.as_person() for one in islice(world.account.profiles.all.values(), offset, offset + limit)]

    @app.get("/_sandbox/automations")
    def automations() -> Any:
        """What started flows: recent events, and everyone who was subscribed."""
        return world.account.events.automations

    @app.get("/_sandbox/stats")
    def stats() -> Any:
        with world.lock:
            counts = {
                "people": len(world.account.profiles.all),
                "events": sum(len(p.events) for p in world.account.profiles.all.values()),
            }
            return {**counts, "duplicates": world.account.events.duplicates, "statuses": dict(world.statuses)}

    @app.post("/_sandbox/answers")
    def answer_next() -> Any:
        """Set the next answers: a JSON list of {"status", "headers", "after"}; after: the call is processed first."""
        world.next_answers.extend(request.get_json())
        return {"answers": len(world.next_answers)}

    @app.post("/_sandbox/switches")
    def switch() -> Any:
        """Set `api_key` or `tier`."""
        world.api_key = request.get_json().get("api_key", world.api_key)
        world.tier = request.get_json().get("tier", world.tier)
        return {"api_key": world.api_key, "tier": world.tier}

    @app.post("/_sandbox/reset")
    def reset() -> Any:
        with world.lock:
            world.reset()
        return {}

    return app


def _answer(world: World, method: str, path: str) -> tuple[int, Any, dict[str, str]]:
    """Return status, JSON and headers for a call."""
    fault = world.next_answers.popleft() if world.next_answers else None
    if fault is None or fault.get("after"):
        answer = _process(world, method, path)
    if fault is None:
        return answer
    return fault["status"], None, {name: str(value) for name, value in fault.get("headers", {}).items()}


def _process(world: World, method: str, path: str) -> tuple[int, Any, dict[str, str]]:
    try:
        _check_headers(world)
        headers = _count_call(world, path)
        status, content = Call(world.account, method, path).answer()
    except Refusal as refusal:
        return refusal.status, {"errors": refusal.errors}, refusal.headers
    return status, content, headers


def _count_call(world: World, path: str) -> dict[str, str]:
    headers, wait_s = world.windows.take(path, world.tier)
    if wait_s is None:
        return headers
    text = f"Request was throttled. Expected available in {wait_s} second."
    raise Refusal(429, error(429, "throttled", text), headers={"Retry-After": str(wait_s)})


def _check_headers(world: World) -> None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Klaviyo-API-Key" or key != world.api_key:
        raise Refusal(401, error(401, "not_authenticated", "Incorrect authentication credentials.", "/data/"))
    revision = request.headers.get("revision", "")
    if not _REVISION.fullmatch(revision):
        raise Refusal(400, error(400, "invalid", "The revision header is required.", "/data"))
    if revision < OLDEST_REVISION:
        raise Refusal(410, error(410, "gone", "This API revision has been retired.", "/data"))
