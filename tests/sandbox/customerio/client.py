"""A client of the sandbox that needs no socket."""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from sandbox.customerio.app import App
from sandbox.customerio.http_messages import Answer, Request
from sandbox.customerio.state import State
from sandbox.customerio.switches import Switches

SITE, KEY = "site-1", "key-1"
START = 1_700_000_000
ULID = "01HF7YAT00VB4KN3Z89JZKN9G8"
OTHER_ULID = "01HF7YAT004CGKJZ81AGY1G066"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = float(START)

    def __call__(self) -> int:
        return int(self.seconds * 1_000_000)


def basic(site_id: str = SITE, api_key: str = KEY) -> str:
    return "Basic " + base64.b64encode(f"{site_id}:{api_key}".encode()).decode()


class Client:
    """Calls the app the way the network would."""

    def __init__(self) -> None:
        self.clock = Clock()
        keys = iter(f"made-up-{n}" for n in range(100))
        self.state = State(self.clock, lambda: next(keys), Switches())
        self.state.base_url = "http://127.0.0.1:9"
        self.state.add_workspace(SITE, KEY)
        self.app = App(self.state)
        self.authorization = basic()

    def call(self, method: str, path: str, content: object = None, **query: str) -> Answer:
        body = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
        return self.app.answer(Request(method, path, query, {"authorization": self.authorization}, body))

    def identify(self, who: str, **attributes: Any) -> Answer:
        return self.call("PUT", f"/api/v1/customers/{quote(who, safe='')}", attributes)

    def track(self, who: str, name: str = "order_new", **fields: Any) -> Answer:
        return self.call("POST", f"/api/v1/customers/{quote(who, safe='')}/events", {"name": name, **fields})

    def batch(self, *items: Mapping[str, Any]) -> Answer:
        return self.call("POST", "/api/v2/batch", {"batch": list(items)})

    def control(self, method: str, path: str, content: object = None, **query: str) -> Any:
        return json.loads(self.call(method, f"/_sandbox/{path}", content, **query).body)

    def people(self) -> list[dict[str, Any]]:
        people: list[dict[str, Any]] = self.control("GET", "people")
        return people

    def person(self, email: str) -> dict[str, Any]:
        (person,) = [person for person in self.people() if person["email"] == email]
        return person

    def log(self) -> list[str]:
        return [entry["kind"] for entry in self.control("GET", "log")]

    def fault(self, mode: str, **options: Any) -> Any:
        return self.control("POST", "faults", {"mode": mode, **options})

    def switch(self, **switches: Any) -> None:
        self.control("POST", "switches", switches)


def person_item(action: str, identifiers: Mapping[str, str], **fields: Any) -> dict[str, Any]:
    return {"type": "person", "action": action, "identifiers": identifiers, **fields}
