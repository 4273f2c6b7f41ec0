"""Klaviyo's API played by the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pipeline.core.messages import Message, PersonRef
from pipeline.destinations.klaviyo import Klaviyo
from sandbox.klaviyo.app import World, create_app
from sandbox.serving import serving
from tests.contracts.kit import DeliveredMessage, Kit, RecordingHTTP
from tests.contracts.messages import AT

API_KEY = "pk_a_key_for_tests"


class KlaviyoKit:
    """Against the sandbox in a thread."""

    platform = "klaviyo"
    lacks: frozenset[str] = frozenset()

    def __init__(self, world: World, url: str) -> None:
        self.world = world
        self.url = url
        self.http = RecordingHTTP()

    def config(self) -> dict[str, str]:
        return {"api_key": API_KEY, "event_names": "cratejoy", "base_url": self.url}

    def destination(self, **changed: str) -> Klaviyo:
        return Klaviyo({**self.config(), **changed}, self.http)

    def bodies(self) -> list[bytes]:
        return self.http.bodies

    def delivered(self) -> list[list[DeliveredMessage]]:
        return [call["items"] for call in self.world.account.calls]

    def knows(self, person: PersonRef) -> bool:
        return any(
            one.email == person.email or (one.external_id or "") == f"cj_{person.customer_id}"
            for one in self.world.account.profiles.all.values()
        )

    def who(self, person: PersonRef) -> str:
        return str(person.email) if person.customer_id is None else f"cj_{person.customer_id}"

    def unacceptable(self, message: Message) -> Message:
        return replace(message, data={str(number): number for number in range(1_000)})

    def answer_next(self, status: int, retry_after: int | None = None) -> None:
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        self.world.next_answers.append({"status": status, "headers": headers})

    def revoke(self) -> None:
        self.world.api_key = "another"

    def unreachable(self) -> Klaviyo:
        return self.destination(base_url="http://127.0.0.1:1")

    def elsewhere(self) -> None:
        return None


@contextmanager
def klaviyo_kit() -> Iterator[Kit]:
    with running_klaviyo() as kit:
        yield kit


@contextmanager
def running_klaviyo(tier: str | None = None) -> Iterator[KlaviyoKit]:
    """The sandbox on loopback inside the block, at the time of the messages that tests send."""
    world = World(API_KEY, tier=tier, now=lambda: AT + 60.0)
    with serving(create_app(world)) as url:
        yield KlaviyoKit(world, url)
