"""What a platform must offer its contract suite: a server that plays it, and ways to make that server difficult."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from pipeline.core.messages import Message, PersonRef
from pipeline.destinations.base import Destination
from pipeline.infra.http.client import MAX_BODY_BYTES, HTTPClient, HTTPResponse, Method

DeliveredMessage = tuple[str, str, str | None]  # the platform's key of a person, "profile" or "event", the event's name


class Kit(Protocol):
    """One platform, played on loopback."""

    platform: str
    http: RecordingHTTP  # that its destinations use
    lacks: frozenset[str]  # what this platform cannot do about people who are to be forgotten

    def config(self) -> dict[str, str]:
        """A config that works."""

    def destination(self, **changed: str) -> Destination:
        """A destination by that config, or one that differs in some fields."""

    def bodies(self) -> list[bytes]:
        """The bodies our destinations have sent, in order."""

    def delivered(self) -> list[list[DeliveredMessage]]:
        """What the platform took, call by call; calls of which nothing was taken are left out."""

    def knows(self, person: PersonRef) -> bool:
        """Whether the platform holds a profile under one of this person's identifiers."""

    def who(self, person: PersonRef) -> str:
        """The key under which the platform knows this person."""

    def unacceptable(self, message: Message) -> Message:
        """The same event in a form that this platform refuses, item by item."""

    def answer_next(self, status: int, retry_after: int | None = None) -> None:
        """Let the next call fail with this status."""

    def revoke(self) -> None:
        """Refuse the credentials from now on."""

    def elsewhere(self) -> Destination | None:
        """A destination whose account lives in another region than its config says; None without regions."""

    def unreachable(self) -> Destination:
        """A destination at whose address nothing listens."""


KitMaker = Callable[[], AbstractContextManager[Kit]]


class RecordingHTTP(HTTPClient):
    """Real calls, with the bodies kept."""

    def __init__(self, now: Callable[[], int] | None = None) -> None:
        super().__init__(now=now or _clock().__next__, timeout=(1.0, 2.0))
        self.bodies: list[bytes] = []

    def call(
        self,
        method: Method,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_bytes: int = MAX_BODY_BYTES,
    ) -> HTTPResponse:
        if body is not None:
            self.bodies.append(body)
        return super().call(method, url, headers=headers, body=body, max_bytes=max_bytes)


def _clock() -> Iterator[int]:
    now = 1_772_470_000_000_000
    while True:
        now += 1000
        yield now
