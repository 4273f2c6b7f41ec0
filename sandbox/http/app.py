"""An API of a shape as a WSGI application, and the control paths under `/_sandbox`."""

import json
import threading
from collections import Counter, deque
from itertools import islice
from typing import Any

from flask import Flask, Response, request

from sandbox.http.json_schema import find_faults
from sandbox.http.shape import ACCOUNT, KEY, Call, Shape, find_value, read_body
from sandbox.receiver.people import Identifiers, People, Person

MAX_BODY_BYTES = 1_000_000
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_JSON = "application/json"

Answer = tuple[int, str]


class API:
    """What was taken, and which answers come next instead of the usual ones: a status and headers each."""

    def __init__(self, shape: Shape, key: str, account: str = "12345") -> None:
        """Play a shape, for callers with this key and account."""
        self.shape = shape
        self.key = key
        self.account = account
        self.lock = threading.Lock()
        self.next_answers: deque[dict[str, Any]] = deque()
        self.reset()

    def reset(self) -> None:
        """Forget everything that was taken."""
        self.people = People()
        self.taken: set[str] = set()
        self.log: list[dict[str, Any]] = []

    def take(self, method: str, path: str, headers: dict[str, str], raw: bytes) -> Answer:
        """Return status and body for a call, and note what it says if it is new."""
        for call in self.shape.calls:
            named = call.match(method, self._with_placeholders(path))
            if named is not None:
                status, body, said = self._take(call, named, headers, raw)
                self.log.append({"means": call.means, "status": status, "body": said})
                return status, body
        self.log.append({"means": None, "status": 404, "body": None})
        return 404, json.dumps({"message": "there is no such call"})

    def _with_placeholders(self, path: str) -> str:
        """A path as a shape has it: some APIs have the account in it, and the address of a hook is its key."""
        return path.replace(self.key, KEY).replace(f"/{self.account}", f"/{ACCOUNT}")

    def _take(self, call: Call, named: dict[str, str], headers: dict[str, str], raw: bytes) -> tuple[int, str, Any]:
        for name, value in call.headers.items():
            if headers.get(name) != value.replace(KEY, self.key):
                return self.shape.refused, json.dumps({"message": f"{name} is not as it should be"}), None
        try:
            body = read_body(call, raw)
        except ValueError:
            return 400, json.dumps({"message": "the body cannot be read"}), None
        faults = list(find_faults(body, call.schema)) if call.schema else []
        if faults:
            return call.invalid, call.invalid_body or json.dumps({"message": "; ".join(faults)}), body
        content = {**body, **named} if isinstance(body, dict) else named
        call_id = self._find_id(headers, content)
        if call_id is None or call_id not in self.taken:
            self._apply(call, content, call_id)
        self.taken |= {call_id} if call_id else set()
        return call.status, call.body, body

    def _find_id(self, headers: dict[str, str], body: Any) -> str | None:
        kind, _, name = self.shape.id.partition(":")
        return headers.get(name) if kind == "header" else find_value(body, self.shape.id)

    def _apply(self, call: Call, body: Any, call_id: str | None) -> None:
        if call.means == "forget":
            emails, ids = find_value(body, call.emails) or [], find_value(body, call.customer_ids) or []
            emails = [emails] if isinstance(emails, str) else emails
            gone: list[Identifiers] = [*({"email": one} for one in emails), *({"customer_id": one} for one in ids)]
            self.people.remove(gone, for_good=find_value(body, call.mode) == "suppress")
        elif call.means in ("profile", "event"):
            found = {"email": find_value(body, call.email), "customer_id": find_value(body, call.customer_id)}
            person = self.people.find_or_add({name: value for name, value in found.items() if value})
            if person is not None:
                _note(person, call, body, call_id)


def _note(person: Person, call: Call, body: Any, call_id: str | None) -> None:
    if call.means == "profile":
        person.attributes |= find_value(body, call.attributes) or {}
        person.attributes = {name: value for name, value in person.attributes.items() if value is not None}
        return
    event = {"id": call_id, "name": find_value(body, call.event), "data": find_value(body, call.properties)}
    person.events.append(event)


def create_app(api: API) -> Flask:
    """Return the application."""
    app = Flask("sandbox.http", static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = True  # an error in the sandbox is a bug and must be seen
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES

    @app.get("/_sandbox/people")
    def people() -> Any:
        offset, limit = request.args.get("offset", 0, int), request.args.get("limit", 10**9, int)
        with api.lock:
            return [person.as_json() for person in islice(api.people, offset, offset + limit)]

    @app.get("/_sandbox/stats")
    def stats() -> Any:
        with api.lock:
            return {
                "people": sum(1 for _ in api.people),
                "events": sum(len(person.events) for person in api.people),
                "calls": len(api.log),
                "statuses": dict(Counter(str(one["status"]) for one in api.log)),
            }

    @app.get("/_sandbox/log")
    def log() -> Any:
        return api.log

    @app.post("/_sandbox/answers")
    def answer_next() -> Any:
        """Set the next answers: a JSON list of {"status": 429, "headers": {"Retry-After": 7}}."""
        api.next_answers.extend(request.get_json())
        return {"answers": list(api.next_answers)}

    @app.post("/_sandbox/reset")
    def reset() -> Any:
        with api.lock:
            api.reset()
        return {}

    @app.route("/<path:path>", methods=_METHODS)
    def take(path: str) -> Response:  # noqa: ARG001 - the path is read as it came, with its escapes
        with api.lock:
            if api.next_answers:
                answer = api.next_answers.popleft()
                return Response("{}", answer["status"], answer.get("headers"), content_type=_JSON)
            headers = {name.lower(): value for name, value in request.headers.items()}
            path_as_sent = request.environ["RAW_URI"].partition("?")[0]
            status, body = api.take(request.method, path_as_sent, headers, request.get_data())
        return Response(body, status, content_type=_JSON)

    return app
