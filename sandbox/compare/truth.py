"""The events of the store as its truth records them, and which of them must arrive."""

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
    """Return an e-mail address in the form in which addresses are compared."""
    return str(email or "").strip().lower()


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person an event concerns: a customer, or a gift recipient known only by an address."""

    customer_id: str | None
    email: str

    @property
    def name(self) -> str:
        """Return the name in a report: an id, or a digest of the address, never the address itself."""
        digest = hashlib.sha256(self.email.encode()).hexdigest()[:10]
        return f"customer {self.customer_id}" if self.customer_id else f"recipient #{digest}"


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event of the store and the outcome of its hook."""

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
    gift: str = ""
    origin: str | None = None
    knows_person: bool = True  # at the storefront, by this event
    knows_recipient: bool = True

    @property
    def parties(self) -> Iterator[tuple[Recipient, bool]]:
        """Yield each person and whether they are the recipient. A giver who is also the recipient appears once."""
        if self.person is not None:
            yield self.person, False
        if self.recipient is not None and (self.person is None or self.person.email != self.recipient.email):
            yield self.recipient, True

    @property
    def shows_storefront(self) -> bool:
        """Return whether the hook arrived and is about an order or a subscription of the storefront."""
        return self.origin == "storefront" and self.accepted > 0 and not self.is_lost

    @property
    def is_promised(self) -> bool:
        """Return whether the event must arrive: its hook was accepted whole and readable, or repaired."""
        return self.is_repaired or (self.accepted >= 1 and not self.is_lost and not self.is_broken)


@dataclass(frozen=True, slots=True)
class Scope:
    """What should be forwarded."""

    forward_also: Collection[str] = ()
    forward_tests: bool = False

    def includes(self, record: EventRecord) -> bool:
        """Return whether an event of this kind is forwarded."""
        is_forwarded = record.event in FORWARDED or record.event in self.forward_also
        return is_forwarded and (self.forward_tests or not record.is_test)


def read_records(truth: Mapping[str, Any]) -> list[EventRecord]:
    """Return the events in the order in which they occurred."""
    return sorted(map(_read, truth["happenings"]), key=lambda record: record.n)


def mark_repaired(records: list[EventRecord], repaired: Collection[str]) -> list[EventRecord]:
    """Return the records, with those of the `repaired` events promised whatever the outcome of their hooks.

    A renewal is no longer visible once the subscription was renewed again, so only the last renewal is promised.
    """
    last = {record.subject_id: record.n for record in records if record.event == RENEWAL_EVENT}
    visible = (record for record in records if record.event != RENEWAL_EVENT or record.n == last[record.subject_id])
    repairs = {record.n for record in visible if record.event in repaired}
    return [replace(record, is_repaired=record.n in repairs) for record in records]


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
        gift=str(row.get("gift") or ""),
        origin=row.get("origin"),
        knows_person=bool((row.get("person") or {}).get("at_storefront", True)),
        knows_recipient=bool((row.get("recipient") or {}).get("at_storefront", True)),
    )


def _party(row: Mapping[str, Any] | None) -> Recipient | None:
    if row is None:
        return None
    customer_id = row.get("customer_id")
    return Recipient(None if customer_id is None else str(customer_id), fold(row.get("email")))
