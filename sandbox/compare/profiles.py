"""The people of Customer.io, found by address or by the end of their id, without any knowledge of the store."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.compare.truth import Recipient, fold


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as Customer.io stores it."""

    cio_id: str
    id: str
    email: str
    attributes: Mapping[str, Any]
    events: list[Mapping[str, Any]]


class Profiles:
    """All people that Customer.io stores."""

    def __init__(self, people: Iterable[Mapping[str, Any]]) -> None:
        """Read the people as the control path of the sandbox returns them."""
        self._all = [_read(person) for person in people]
        self._by_email = {profile.email: profile for profile in self._all if profile.email}
        self._by_customer: dict[str, list[Profile]] = {}
        for profile in self._all:
            if profile.id:
                self._by_customer.setdefault(profile.id.rpartition("_")[2], []).append(profile)

    def __iter__(self) -> Iterator[Profile]:
        """Iterate over all profiles in the order of their arrival."""
        return iter(self._all)

    def __len__(self) -> int:
        """Return the number of profiles."""
        return len(self._all)

    def matches(self, party: Recipient) -> list[Profile]:
        """Return every profile of a recipient, the profile with their address first."""
        found = [self._by_email[party.email]] if party.email in self._by_email else []
        by_customer = self._by_customer.get(party.customer_id, []) if party.customer_id else []
        return found + [profile for profile in by_customer if profile not in found]

    def of(self, party: Recipient) -> Profile | None:
        """Return the profile of a recipient, or None."""
        return next(iter(self.matches(party)), None)


def _read(person: Mapping[str, Any]) -> Profile:
    return Profile(
        cio_id=person["cio_id"],
        id=person.get("id") or "",
        email=fold(person.get("email")),
        attributes=person["attributes"],
        events=person["events"],
    )
