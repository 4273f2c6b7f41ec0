"""What identifies one person of a store, and the places where a loaded body names people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pipeline.events.catalogue import EventRow
from pipeline.fan_out.customers import Customer, find_customer, keep_own_boxes
from pipeline.fan_out.gifts import Subject, find_subjects, read_gift

Key = tuple[str, str]  # (kind, value): ("email", "robin@example.com"), ("customer", "7001"), ("order", "7015")
GIFT_PREFIX = "gift_"  # of the kind of a key that leads to a gift's recipient: "gift_order"


class LearnedHash(NamedTuple):
    """A hash of something that leads to the person of a regulation."""

    regulation_id: int
    store_id: int
    kind: str
    digest: str


@dataclass(frozen=True, slots=True)
class Identity:
    """One person: normalised addresses, Cratejoy's customer ids, names, and what is theirs.

    `bought`: orders, subscriptions and shipments of which they are the customer. `received`: those that were a gift to
    them.
    """

    emails: frozenset[str] = field(default=frozenset(), repr=False)
    customer_ids: frozenset[int] = frozenset()
    names: frozenset[str] = field(default=frozenset(), repr=False)
    bought: frozenset[Subject] = frozenset()
    received: frozenset[Subject] = frozenset()

    def build_keys(self) -> list[Key]:
        """All keys that lead to the person."""
        return [
            *(("customer", str(number)) for number in sorted(self.customer_ids)),
            *(("email", email) for email in sorted(self.emails)),
            *((kind, str(number)) for kind, number in sorted(self.bought)),
            *((f"{GIFT_PREFIX}{kind}", str(number)) for kind, number in sorted(self.received)),
        ]

    def is_customer(self, customer: Customer | None, subjects: Iterable[Subject]) -> bool:
        """Whether they are this customer, or own one of these subjects."""
        if customer is not None and (customer.id in self.customer_ids or customer.email in self.emails):
            return True
        return not self.bought.isdisjoint(subjects)


def build_identity(keys: Iterable[Key], names: Iterable[str] = ()) -> Identity:
    """The identity with these keys."""
    by_kind: dict[str, set[str]] = {}
    for kind, value in keys:
        by_kind.setdefault(kind, set()).add(value)
    kinds = ("order", "subscription", "shipment")
    return Identity(
        frozenset(by_kind.get("email", ())),
        frozenset(int(value) for value in by_kind.get("customer", ())),
        frozenset(names),
        frozenset((kind, int(value)) for kind in kinds for value in by_kind.get(kind, ())),
        frozenset((kind, int(value)) for kind in kinds for value in by_kind.get(f"{GIFT_PREFIX}{kind}", ())),
    )


def list_customer_keys(row: EventRow, data: Mapping[str, Any]) -> list[Key]:
    """The keys that lead to the customer of a body."""
    customer = find_customer(row, data)
    keys: list[Key] = []
    if customer is not None and customer.id is not None:
        keys.append(("customer", str(customer.id)))
    if customer is not None and customer.email is not None:
        keys.append(("email", customer.email))
    own = keep_own_boxes(row, data, customer)
    return [*keys, *((kind, str(number)) for kind, number in find_subjects(row, own) if row.buyer)]


def list_recipient_keys(row: EventRow, data: Mapping[str, Any]) -> list[Key]:
    """The keys that lead to the gift recipient of a body, whether it names them or not."""
    gift = read_gift(row, data)
    named: list[Key] = [("email", gift.email)] if gift is not None and gift.email and not gift.is_redeemed else []
    return [*named, *((f"{GIFT_PREFIX}{kind}", str(number)) for kind, number in find_subjects(row, data))]


def list_strings(value: object) -> Iterator[str]:
    """All strings in a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from list_strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from list_strings(item)
