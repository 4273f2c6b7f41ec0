"""Customer.io played twice: by a small server of ours, and by the sandbox as a process of its own."""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.request import Request, urlopen

from pipeline.core.messages import Message, PersonRef
from pipeline.destinations.customerio import CustomerIO
from tests.contracts.fake_track import CannedAnswer, FakeTrack, fake_track
from tests.contracts.kit import DeliveredMessage, Kit, RecordingHTTP


class _CustomerIOKit:
    platform = "customerio"
    lacks: frozenset[str] = frozenset()

    def __init__(self, config: dict[str, str]) -> None:
        self._config = config
        self.http = RecordingHTTP()

    def config(self) -> dict[str, str]:
        return dict(self._config)

    def destination(self, **changed: str) -> CustomerIO:
        return CustomerIO({**self._config, **changed}, self.http)

    def bodies(self) -> list[bytes]:
        return self.http.bodies

    def who(self, person: PersonRef) -> str:
        return str(person.email) if person.customer_id is None else f"cj_{person.customer_id}"

    def unacceptable(self, message: Message) -> Message:
        return replace(message, message_id="not a ULID")

    def unreachable(self) -> CustomerIO:
        return self.destination(base_url="http://127.0.0.1:1")

    def elsewhere(self) -> CustomerIO:
        return self.destination(region="eu")


class FakeTrackKit(_CustomerIOKit):
    """Against the server written beside this suite."""

    def __init__(self, track: FakeTrack) -> None:
        super().__init__(track.config)
        self.track = track

    def delivered(self) -> list[list[DeliveredMessage]]:
        return [call.delivered() for call in self.track.calls if call.taken]

    def answer_next(self, status: int, retry_after: int | None = None) -> None:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self.track.next.append(CannedAnswer(status, "<html>sorry</html>", headers))

    def revoke(self) -> None:
        self.track.api_key = "another"

    def knows(self, person: PersonRef) -> bool:
        return any(profile & _identifiers(person) for profile in self.track.profiles)


class SandboxKit(_CustomerIOKit):
    """Against the sandbox, which was written without knowing our code."""

    def delivered(self) -> list[list[DeliveredMessage]]:
        kinds = {"identify": "profile", "event": "event"}
        calls = self._control("GET", "calls")
        taken = [[item for item in call["items"] if item["accepted"]] for call in calls]
        return [
            [(_value(item["person"]), kinds[item["action"]], item["name"]) for item in items]
            for items in taken
            if items
        ]

    def answer_next(self, status: int, retry_after: int | None = None) -> None:
        fault: dict[str, Any] = {"mode": "status", "code": status}
        if status == 429:
            fault = {"mode": "429", "headers": "retry-after", "retry_after": retry_after or 0}
        self._control("POST", "faults", fault)

    def revoke(self) -> None:
        self._control("POST", "faults", {"mode": "auth-revoked"})

    def knows(self, person: PersonRef) -> bool:
        profiles = self._control("GET", "people")
        return any({("id", one["id"]), ("email", one["email"])} & _identifiers(person) for one in profiles)

    def forget(self) -> None:
        self._control("DELETE", "faults")
        self._control("POST", "reset")

    def _control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        raw = None if body is None else json.dumps(body).encode()
        request = Request(f"{self._config['base_url']}/_sandbox/{path}", raw, method=method)  # noqa: S310 - loopback
        with urlopen(request, timeout=10) as response:  # noqa: S310 - loopback
            return json.load(response)


@contextmanager
def fake_track_kit() -> Iterator[Kit]:
    with fake_track() as track:
        yield FakeTrackKit(track)


@contextmanager
def sandbox_kit() -> Iterator[Kit]:
    kit = SandboxKit(_sandbox())
    kit.forget()
    yield kit


@cache
def _sandbox() -> dict[str, str]:
    """The config of one sandbox for all tests of this process; it ends with them."""
    process = subprocess.Popen([sys.executable, "-m", "sandbox.customerio"], stdout=subprocess.PIPE, text=True)
    atexit.register(_end, process)
    said = json.loads(process.stdout.readline()) if process.stdout else {}
    return {"base_url": said.pop("url"), **said}


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(timeout=10)


def _identifiers(person: PersonRef) -> set[tuple[str, str | None]]:
    customer = set() if person.customer_id is None else {("id", f"cj_{person.customer_id}")}
    return {*customer, ("email", person.email)}


def _value(person: str) -> str:
    """The sandbox writes a person as "id:cj_1"."""
    return person.partition(":")[2]
