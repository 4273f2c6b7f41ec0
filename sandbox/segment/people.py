"""The people of a source: by user id and by anonymous id, which an `identify` with both connects."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Person:
    """A person. `number` counts in the order of arrival."""

    number: int
    user_id: str | None = None
    anonymous_ids: set[str] = field(default_factory=set)
    traits: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the person as the comparison with the store reads people of any platform."""
        return {
            "cio_id": f"person-{self.number}",
            "id": self.user_id or "",
            "anonymous_ids": sorted(self.anonymous_ids),
            "email": self.traits.get("email"),
            "attributes": {name: value for name, value in self.traits.items() if name != "email"},
            "events": self.events,
        }


class People:
    """Everyone of a source."""

    def __init__(self) -> None:
        """Begin without anyone."""
        self._people: list[Person] = []
        self._count = 0

    def __iter__(self) -> Iterator[Person]:
        """Iterate in the order of arrival."""
        return iter(self._people)

    def find_or_add(self, user_id: str | None, anonymous_id: str | None) -> Person:
        """Return the person. An anonymous one who is given a user id becomes that user; two who are one are merged."""
        user = self._find_user(user_id)
        anonymous = self._find_anonymous(anonymous_id)
        if anonymous is not None and user_id and anonymous.user_id not in (None, user_id):
            anonymous = None  # the anonymous id belongs to another user
        person = user or anonymous or self._add()
        if user is not None and anonymous is not None and anonymous is not user:
            user.traits = {**anonymous.traits, **user.traits}
            user.events = [*anonymous.events, *user.events]
            user.anonymous_ids |= anonymous.anonymous_ids
            self._people.remove(anonymous)
        person.user_id = user_id or person.user_id
        if anonymous_id and self._find_anonymous(anonymous_id) in (None, person):
            person.anonymous_ids.add(anonymous_id)
        return person

    def _find_user(self, user_id: str | None) -> Person | None:
        return next((one for one in self._people if user_id and one.user_id == user_id), None)

    def _find_anonymous(self, anonymous_id: str | None) -> Person | None:
        return next((one for one in self._people if anonymous_id in one.anonymous_ids), None)

    def _add(self) -> Person:
        self._count += 1
        self._people.append(Person(self._count))
        return self._people[-1]
