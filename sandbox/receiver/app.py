"""The receiver as a WSGI application: its address, and the control paths under `/_sandbox`."""

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from itertools import islice
from typing import Any

from flask import Flask, Response, request

from sandbox.receiver.people import People
from sandbox.signed_messages import find_fault

ADDRESS = "/hooks"
MAX_BODY_BYTES = 1_000_000


class Receiver:
    """What was taken, and which answers come next instead of the usual one."""

    def __init__(self, secret: str, clock: Callable[[], float] = time.time) -> None:
        """Take what this secret signs. The clock gives seconds since the epoch."""
        self.secret = secret
        self.clock = clock
        self.lock = threading.Lock()
        self.next_answers: deque[int] = deque()
        self.reset()

    def reset(self) -> None:
        """Forget everything that was taken."""
        self.people = People()
        self.taken: set[str] = set()
        self.log: list[dict[str, Any]] = []

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Return the status that answers a message, and note what it says if it is new."""
        if self.next_answers:
            return self._note(headers, None, self.next_answers.popleft())
        fault = find_fault(self.secret, headers, body, self.clock())
        if fault is not None:
            return self._note(headers, None, 401)
        try:
            message = json.loads(body)
            kind, data = str(message["type"]), dict(message["data"])
            if headers["webhook-id"] not in self.taken and kind != "webhook.test":
                self._apply(kind, data, headers["webhook-id"], str(message["timestamp"]))
        except (ValueError, TypeError, KeyError):
            return self._note(headers, None, 422)
        self.taken.add(headers["webhook-id"])
        return self._note(headers, kind, 204)

    def _apply(self, kind: str, data: dict[str, Any], message_id: str, at: str) -> None:
        if kind.startswith("person."):
            self.people.remove(data["identifiers"], for_good=kind == "person.suppress")
            return
        person = self.people.find_or_add(data["person"])
        if person is None:
            return
        if kind == "profile.updated":
            person.attributes |= data["attributes"]
            person.attributes = {name: value for name, value in person.attributes.items() if value is not None}
        else:
            person.events.append({"id": message_id, "name": data["event"], "at": at, "data": data["properties"]})

    def _note(self, headers: dict[str, str], kind: str | None, status: int) -> int:
        self.log.append({"id": headers.get("webhook-id"), "type": kind, "status": status})
        return status


def create_app(receiver: Receiver) -> Flask:
    """Return the application."""
    app = Flask("sandbox.receiver", static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = True  # an error in the sandbox is a bug and must be seen
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES

    @app.post(ADDRESS)
    def take() -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        with receiver.lock:
            status = receiver.take(headers, request.get_data())
        return Response(status=status)

    @app.get("/_sandbox/people")
    def people() -> Any:
        offset, limit = request.args.get("offset", 0, int), request.args.get("limit", 10**9, int)
        with receiver.lock:
            return [person.as_json() for person in islice(receiver.people, offset, offset + limit)]

    @app.get("/_sandbox/stats")
    def stats() -> Any:
        with receiver.lock:
            return {
                "people": sum(1 for _ in receiver.people),
                "events": sum(len(person.events) for person in receiver.people),
                "calls": len(receiver.log),
                "statuses": dict(Counter(str(one["status"]) for one in receiver.log)),
            }

    @app.get("/_sandbox/log")
    def log() -> Any:
        return receiver.log

    @app.post("/_sandbox/answers")
    def answer_next() -> Any:
        """Set the statuses of the next answers: a JSON list."""
        receiver.next_answers.extend(int(status) for status in request.get_json())
        return {"answers": list(receiver.next_answers)}

    @app.post("/_sandbox/reset")
    def reset() -> Any:
        with receiver.lock:
            receiver.reset()
        return {}

    return app
