"""What the store knows: its happenings, read from its truth; it knows which of them have to arrive."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

# Customer.io's own page about Cratejoy lists these. Its table has `shipment_cancelled` twice; the second is described
# as a cancelled subscription.
FORWARDED = (
    "checkout_failed",
    "customer_new",
    "address_updated",
    "billing_updated",
    "order_updated",
    "order_new",
    "shipment_cancelled",
    "shipment_shipped",
    "subscription_new",
    "subscription_renew_failed",
    "subscription_renewed",
    "subscription_updated",
    "subscription_cancelled",
    "transaction_new",
)
RENEWAL_EVENT = "subscription_renewed"


def fold(email: object) -> str:
    """Return an e-mail address as addresses are compared."""
    return str(email or "").strip().lower()


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody a happening concerns: a customer, or a gift recipient known by an address alone."""

    customer_id: str | None
    email: str

    @property
    def name(self) -> str:
        """Return how a report calls the party: by id, or by a digest of the address, never by the address."""
        digest = hashlib.sha256(self.email.encode()).hexdigest()[:10]
        return f"customer {self.customer_id}" if self.customer_id else f"recipient #{digest}"


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One thing that happened in the store, and what became of its hook."""

    n: int
    event: str
    subject_id: str
    sent_at: Any
    person: Recipient | None
    recipient: Recipient | None
    is_test: bool
    posts: int
    accepted: int
    is_lost: bool
    is_broken: bool
    is_repaired: bool = False

    @property
    def parties(self) -> Iterator[tuple[Recipient, bool]]:
        """Yield whom it concerns and whether as a recipient; who gives to himself is told once."""
        if self.person is not None:
            yield self.person, False
        if self.recipient is not None and (self.person is None or self.person.email != self.recipient.email):
            yield self.recipient, True

    @property
    def is_promised(self) -> bool:
        """Tell whether somebody has answered for the hook, accepted whole and readable, or for its repair."""
        return self.is_repaired or (self.accepted >= 1 and not self.is_lost and not self.is_broken)


@dataclass(frozen=True, slots=True)
class Scope:
    """What is meant to be forwarded."""

    forward_also: Collection[str] = ()
    forward_tests: bool = False

    def includes(self, happening: EventRecord) -> bool:
        """Tell whether a happening of this kind is forwarded at all."""
        is_forwarded = happening.event in FORWARDED or happening.event in self.forward_also
        return is_forwarded and (self.forward_tests or not happening.is_test)


def read_happenings(truth: Mapping[str, Any]) -> list[EventRecord]:
    """Return the truth's happenings in the order in which they happened."""
    return sorted(map(_read, truth["happenings"]), key=lambda happening: happening.n)


def mark_repaired(happenings: list[EventRecord], repaired: Collection[str]) -> list[EventRecord]:
    """Return the happenings, those of the `repaired` events promised whatever became of their hooks.

    Nobody can see a renewal once the subscription was renewed again: of these only the last is promised.
    """
    last = {happening.subject_id: happening.n for happening in happenings if happening.event == RENEWAL_EVENT}
    seen = (one for one in happenings if one.event != RENEWAL_EVENT or one.n == last[one.subject_id])
    repairs = {one.n for one in seen if one.event in repaired}
    return [replace(one, is_repaired=one.n in repairs) for one in happenings]


def _read(row: Mapping[str, Any]) -> EventRecord:
    return EventRecord(
        n=row["n"],
        event=row["event"],
        subject_id=str(row["subject_id"]),
        sent_at=row.get("sent_at"),
        person=_party(row.get("person")),
        recipient=_party(row.get("recipient")),
        is_test=bool(row.get("test")),
        posts=int(row.get("posts") or 0),
        accepted=int(row.get("accepted") or 0),
        is_lost=bool(row.get("lost")),
        is_broken=bool(row.get("broken")),
    )


def _party(row: Mapping[str, Any] | None) -> Recipient | None:
    if row is None:
        return None
    customer_id = row.get("customer_id")
    return Recipient(None if customer_id is None else str(customer_id), fold(row.get("email")))
