"""Read the events of the sandbox Customer.io and set its faults."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any, Protocol
from urllib.parse import urlsplit

TIMEOUT_S = 60
FAILED = 400


@dataclass(frozen=True, slots=True)
class ArrivedEvent:
    """An event of a person, in the order of arrival. `at` is µs since the epoch."""

    address: str
    subject: str
    at: int
    id: str


class AnyPlatform(Protocol):
    """What every platform shows of what it holds."""

    def arrived(self) -> list[ArrivedEvent]:
        """Every stored event, person by person."""

    def count(self) -> int:
        """The number of stored events."""


@dataclass(frozen=True, slots=True)
class Platform:
    """A workspace of the sandbox."""

    url: str
    site_id: str
    api_key: str
    region: str = "us"

    def arrived(self) -> list[ArrivedEvent]:
        """Every stored event, person by person."""
        people = self.ask("GET", f"people?workspace={self.site_id}")
        return [
            ArrivedEvent(
                str(person["email"]).lower(), str(event["data"].get("subject_id")), event["received_at"], event["id"]
            )
            for person in people
            for event in person["events"]
        ]

    def people(self) -> dict[str, Mapping[str, Any]]:
        """Its people by address."""
        return {str(person["email"]).lower(): person for person in self.ask("GET", f"people?workspace={self.site_id}")}

    def count(self) -> int:
        """The number of stored events, without reading them."""
        return int(self.ask("GET", f"stats?workspace={self.site_id}")["workspaces"][self.site_id]["events"])

    def calls(self) -> list[Mapping[str, Any]]:
        """Every call so far."""
        found: list[Mapping[str, Any]] = self.ask("GET", f"calls?workspace={self.site_id}")
        return found

    @contextmanager
    def fault(self, **wanted: Any) -> Iterator[None]:
        """A fault that lasts as long as the block."""
        self.set_fault(**{"n": -1, **wanted})
        try:
            yield
        finally:
            self.clear_faults()

    def set_fault(self, **wanted: Any) -> None:
        """Set a fault; by default it applies once."""
        self.ask("POST", "faults", {"workspace": self.site_id, **wanted})

    def clear_faults(self) -> None:
        """Take every fault away."""
        self.ask("DELETE", "faults")

    def reset(self) -> None:
        """Delete all people."""
        self.ask("POST", "reset")

    def second(self) -> Platform:
        """Add another workspace."""
        made = self.ask("POST", "workspaces", {})
        return Platform(self.url, made["site_id"], made["api_key"], made["region"])

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A control call."""
        connection = HTTPConnection(urlsplit(self.url).hostname or "", urlsplit(self.url).port, timeout=TIMEOUT_S)
        try:
            connection.request(method, f"/_sandbox/{path}", None if body is None else json.dumps(body))
            response = connection.getresponse()
            text = response.read()
            if response.status >= FAILED:
                raise RuntimeError(f"the sandbox answered {response.status} to {path}: {text[:200]!r}")
            return json.loads(text)
        finally:
            connection.close()


def group_by_person(arrived: list[ArrivedEvent]) -> Mapping[str, list[ArrivedEvent]]:
    """The events of each address, in their order."""
    found: dict[str, list[ArrivedEvent]] = defaultdict(list)
    for event in arrived:
        found[event.address].append(event)
    return found
