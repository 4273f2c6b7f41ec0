"""People and the indexes that find them by identifier."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sandbox.customerio.events import Event

CIO_PREFIX = "cio_"
KINDS = ("id", "email", "phone", "cio_id", "anonymous_id")


class Identifier(NamedTuple):
    """An identifier of a person, of any of the four kinds."""

    kind: str
    value: str

    @property
    def key(self) -> tuple[str, str]:
        """Return what the index compares: e-mail addresses without regard to case, everything else exactly."""
        return (self.kind, self.value.lower() if self.kind == "email" else self.value)

    def __str__(self) -> str:
        """Return the identifier as a single word."""
        return f"{self.kind}:{self.value}"


def looks_like_email(text: str) -> bool:
    """Return whether Track v1 would treat the text as an e-mail address, by its shape."""
    name, at, host = text.rpartition("@")
    return bool(name and at and host) and not any(character.isspace() for character in text)


def from_path(text: str) -> Identifier:
    """Guess the kind of a Track v1 path identifier from its shape, as the vendor does."""
    if text.startswith(CIO_PREFIX):
        return Identifier("cio_id", text.removeprefix(CIO_PREFIX))
    return Identifier("email" if looks_like_email(text) else "id", text)


def only_identifier(identifiers: Any) -> Identifier | None:
    """Return the identifier of an object that must have exactly one."""
    if not isinstance(identifiers, dict) or len(identifiers) != 1:
        return None
    ((kind, value),) = identifiers.items()
    if kind not in KINDS or not isinstance(value, str | int) or value == "":
        return None
    text = str(value)
    return Identifier(kind, text.removeprefix(CIO_PREFIX) if kind == "cio_id" else text)


@dataclass(slots=True)
class Person:
    """A profile: its identifiers, its attributes with their times, and its events."""

    cio_id: str
    identifiers: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def names(self) -> list[Identifier]:
        """Return every identifier of the person, including the vendor's."""
        return [
            Identifier("cio_id", self.cio_id),
            *(Identifier(kind, value) for kind, value in self.identifiers.items()),
        ]

    def as_json(self) -> Mapping[str, Any]:
        """Return the person as the control endpoint shows it."""
        return {
            "cio_id": self.cio_id,
            "id": self.identifiers.get("id"),
            "email": self.identifiers.get("email"),
            "attributes": dict(self.attributes),
            "events": [event.as_json() for event in self.events],
        }


class People:
    """All people of a workspace, in the order of their creation."""

    def __init__(self, workspace_number: int) -> None:
        """Start without people; the workspace's number makes the vendor's ids unique across workspaces."""
        self._workspace_number = workspace_number
        self._made = 0
        self._index: dict[tuple[str, str], Person] = {}
        self._people: dict[str, Person] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._people)

    def __iter__(self) -> Iterator[Person]:
        """Iterate over all people in the order of their creation."""
        return iter(self._people.values())

    def find(self, who: Identifier) -> Person | None:
        """Return the person with this identifier."""
        return self._index.get(who.key)

    def create(self, who: Identifier) -> Person:
        """Add a person with a single identifier."""
        self._made += 1
        person = Person(f"{self._workspace_number:04x}{self._made:010x}")
        self._people[person.cio_id] = person
        self._index["cio_id", person.cio_id] = person
        self.give(person, who)
        return person

    def give(self, person: Person, who: Identifier) -> None:
        """Set or replace an identifier; the caller has checked that no other person has it."""
        held = person.identifiers.get(who.kind)
        if held is not None:
            del self._index[Identifier(who.kind, held).key]
        person.identifiers[who.kind] = who.value
        self._index[who.key] = person

    def remove(self, person: Person) -> None:
        """Delete a person."""
        for who in person.names():
            del self._index[who.key]
        del self._people[person.cio_id]
