"""An HTTP API of the sandbox's example shape, reached as its own document describes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pipeline.core.messages import Message, PersonRef
from pipeline.destinations.http import AnyHTTP
from sandbox.http.app import API, create_app
from sandbox.http.shape import Shape
from sandbox.serving import serving
from tests.contracts.kit import DeliveredMessage, Kit, RecordingHTTP

KEY = "a-key-for-tests"


class HTTPKit:
    """Against the sandbox in a thread."""

    platform = "http"
    lacks: frozenset[str] = frozenset()

    def __init__(self, api: API, url: str) -> None:
        self.api = api
        self.url = url
        self.http = RecordingHTTP()

    def config(self) -> dict[str, str]:
        return {
            "preset": "own",
            "account": self.api.account,
            "api_key": KEY,
            "hook_url": self.url,
            "config": self.api.shape.document.strip(),
        }

    def destination(self, **changed: str) -> AnyHTTP:
        return AnyHTTP({**self.config(), **changed}, self.http)

    def bodies(self) -> list[bytes]:
        return self.http.bodies

    def delivered(self) -> list[list[DeliveredMessage]]:
        taken = [one for one in self.api.log if one["status"] == 202 and one["means"] in ("profile", "event")]
        return [
            [(_name(one["body"].get("person", one["body"])), one["means"], one["body"].get("name"))] for one in taken
        ]

    def knows(self, person: PersonRef) -> bool:
        named = {("customer_id", person.customer_id), ("email", person.email)}
        return any({("customer_id", one.customer_id), ("email", one.email)} & named for one in self.api.people)

    def who(self, person: PersonRef) -> str:
        return str(person.customer_id or person.email)

    def unacceptable(self, message: Message) -> Message:
        return replace(message, data={**message.data, "refused": True})

    def answer_next(self, status: int, retry_after: int | None = None) -> None:
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        self.api.next_answers.append({"status": status, "headers": headers})

    def revoke(self) -> None:
        self.api.key = "another"

    def unreachable(self) -> AnyHTTP:
        return self.destination(hook_url="http://127.0.0.1:1")

    def elsewhere(self) -> None:
        return None


@contextmanager
def http_kit() -> Iterator[Kit]:
    with running_api() as kit:
        yield kit


@contextmanager
def running_api(shape: str = "example") -> Iterator[HTTPKit]:
    """The sandbox on loopback inside the block."""
    api = API(Shape.load(shape), KEY)
    with serving(create_app(api)) as url:
        yield HTTPKit(api, url)


def _name(person: dict[str, object]) -> str:
    return str(person.get("customer_id") or person["email"])
