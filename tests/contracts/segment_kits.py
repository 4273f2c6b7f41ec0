"""Segment's HTTP API played by the sandbox, as RudderStack answers: it refuses a wrong write key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pipeline.core.messages import Message, PersonRef
from pipeline.destinations.segment import Segment
from pipeline.destinations.segment.items import make_anonymous_id
from sandbox.segment.app import World, create_app
from sandbox.serving import serving
from tests.contracts.kit import DeliveredMessage, Kit, RecordingHTTP

WRITE_KEY = "a-write-key-for-tests"
KINDS = {"identify": "profile", "track": "event"}


class SegmentKit:
    """Against the sandbox in a thread."""

    platform = "segment"
    lacks: frozenset[str] = frozenset()

    def __init__(self, world: World, url: str) -> None:
        self.world = world
        self.url = url
        self.http = RecordingHTTP()

    def config(self) -> dict[str, str]:
        return {"write_key": WRITE_KEY, "region": "us", "event_names": "cratejoy", "base_url": f"{self.url}/v1"}

    def destination(self, **changed: str) -> Segment:
        return Segment({**self.config(), **changed}, self.http)

    def bodies(self) -> list[bytes]:
        return self.http.bodies

    def delivered(self) -> list[list[DeliveredMessage]]:
        calls = [call for call in self.world.source.calls if call]
        return [[(one["person"], KINDS[one["type"]], one["name"]) for one in call] for call in calls]

    def knows(self, person: PersonRef) -> bool:
        return any(one.user_id == self.who(person) for one in self.world.source.people)

    def who(self, person: PersonRef) -> str:
        return make_anonymous_id(str(person.email)) if person.customer_id is None else f"cj_{person.customer_id}"

    def unacceptable(self, message: Message) -> Message:
        return replace(message, data={str(number): "x" * 80 for number in range(2_000)})  # too long, even if cut

    def answer_next(self, status: int, retry_after: int | None = None) -> None:
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        self.world.next_answers.append({"status": status, "headers": headers})

    def revoke(self) -> None:
        self.world.write_key = "another"

    def unreachable(self) -> Segment:
        return self.destination(base_url="http://127.0.0.1:1/v1")

    def elsewhere(self) -> None:
        return None


@contextmanager
def segment_kit() -> Iterator[Kit]:
    with running_segment() as kit:
        yield kit


@contextmanager
def running_segment() -> Iterator[SegmentKit]:
    """The sandbox on loopback inside the block."""
    world = World(WRITE_KEY, refuses_keys=True)
    with serving(create_app(world)) as url:
        yield SegmentKit(world, url)
