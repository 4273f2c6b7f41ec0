"""The people that messages are about, by customer id and by address, with their attributes and events."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Identifiers = Mapping[str, Any]  # customer_id, email, or both


@dataclass(slots=True)
class Person:
    """A person. `number` counts in the order of arrival."""

    number: int
    customer_id: int | None = None
    email: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the person as the comparison with the store reads people of any platform."""
        return {
            "cio_id": f"person-{self.number}",
            "id": str(self.customer_id or ""),
            "email": self.email,
            "attributes": self.attributes,
            "events": self.events,
        }


class People:
    """Everyone. An address belongs to one person; one who is known by address alone may become a customer."""

    def __init__(self) -> None:
        """Begin without anyone."""
        self._people: list[Person] = []
        self._count = 0
        self._suppressed: set[tuple[str, Any]] = set()

    def __iter__(self) -> Iterator[Person]:
        """Iterate in the order of arrival."""
        return iter(self._people)

    def find_or_add(self, identifiers: Identifiers) -> Person | None:
        """Return the person, who is new if unknown; None if they are suppressed."""
        if any(item in self._suppressed for item in identifiers.items()):
            return None
        customer_id, email = identifiers.get("customer_id"), identifiers.get("email")
        person = self._find(customer_id, email)
        if person is None:
            self._count += 1
            person = Person(self._count)
            self._people.append(person)
        person.customer_id = customer_id or person.customer_id
        person.email = email or person.email
        return person

    def remove(self, identifiers: list[Identifiers], *, for_good: bool) -> None:
        """Delete everyone who has one of the identifiers; for good: and ignore what comes about them later."""
        gone = {item for one in identifiers for item in one.items()}
        self._people = [
            one for one in self._people if not gone & {("customer_id", one.customer_id), ("email", one.email)}
        ]
        self._suppressed |= gone if for_good else set()

    def _find(self, customer_id: int | None, email: str | None) -> Person | None:
        known = [one for one in self._people if customer_id and one.customer_id == customer_id]
        by_address = [
            one
            for one in self._people
            if email and one.email == email and (not customer_id or one.customer_id in (None, customer_id))
        ]
        return next(iter(known + by_address), None)
