"""Who must be withheld: people known only from the store's Marketplace, whose data may not reach a mail tool.

An event that was withheld is not sent later either, when its person has become known at the storefront.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple

from sandbox.compare.truth import EventRecord, Recipient, fold

STOREFRONT, MARKETPLACE = "storefront", "marketplace"
# Events whose hooks show the origin of an order or subscription: from the first of them on it is known.
SHOWING_ORIGIN = frozenset(
    (
        "order_new",
        "order_updated",
        "transaction_new",
        "subscription_new",
        "subscription_renewed",
        "subscription_updated",
    )
)

Row = Mapping[str, Any]


class Duty(Enum):
    """Whether an event must be sent to a person, may be, or must never be."""

    DUE = "due"
    EITHER = "either"
    NEVER = "never"


class Party(NamedTuple):
    """A person an event concerns, whether as the gift's recipient, and the duty."""

    who: Recipient
    is_recipient: bool
    duty: Duty


class Withholding:
    """What the truth says about withheld people. With `forwards_all` no one is withheld."""

    def __init__(self, truth: Row, records: list[EventRecord], *, forwards_all: bool = False) -> None:
        """Read the people and what was known about them at each event."""
        self._forwards_all = forwards_all
        self._has_marketplace = bool((truth.get("store") or {}).get("marketplace_share"))
        rows = truth["people"]
        self._by_email = {fold(row.get("email")): row for row in rows}
        self._by_customer = {str(row["customer_id"]): row for row in rows if row.get("customer_id") is not None}
        self._once_unknown: set[str] = set()
        self._shown: dict[str, int] = {}
        for record in records:
            for party, is_known in ((record.person, record.knows_person), (record.recipient, record.knows_recipient)):
                if party is not None and not is_known:
                    self._once_unknown.add(party.email)
            if record.person and record.shows_storefront and record.event in SHOWING_ORIGIN:
                self._shown.setdefault(record.person.email, record.n)
        self.people = [] if forwards_all else [row for row in rows if row.get("withheld")]

    def find(self, party: Recipient) -> Row:
        """Return the person of the truth; nothing if the truth does not list them."""
        return self._by_customer.get(party.customer_id or "") or self._by_email.get(party.email) or {}

    def parties(self, record: EventRecord) -> Iterator[Party]:
        """Yield each person of an event. A giver who is also the recipient appears once."""
        for who, is_recipient in record.parties:
            yield Party(who, is_recipient, self._judge(record, who, is_recipient=is_recipient))

    def due_parties(self, record: EventRecord) -> Iterator[Party]:
        """Yield the people of an event who must have it, if it was accepted."""
        return (party for party in self.parties(record) if party.duty is Duty.DUE)

    def is_due(self, row: Row) -> bool:
        """Return whether a person must be there, once an event of theirs was accepted."""
        return self._forwards_all or not (row.get("withheld") or self.is_undecided(row))

    def is_undecided(self, row: Row) -> bool:
        """Return whether either reading of the rule is right about a person.

        A Marketplace buyer may be known at the storefront by a gift only. And where there is a Marketplace, no hook
        of a customer who has not ordered yet, tests apart, says where they come from: to wait is right too.
        """
        known_from, gifts_from = row.get("known_from") or (), row.get("gifts_from") or ()
        if not known_from or self._forwards_all:
            return False
        has_ordered = row.get("orders", 1) > row.get("test_orders", 0)
        has_gift = STOREFRONT in gifts_from
        return has_gift if STOREFRONT not in known_from else self._has_marketplace and not has_ordered and not has_gift

    def _judge(self, record: EventRecord, who: Recipient, *, is_recipient: bool) -> Duty:
        """Return the duty. The hooks of two people have no order.

        So a gift of the Marketplace may arrive before the hook that makes its recipient known at the storefront: then
        its copy is withheld, and so is what their own hooks say until then.
        """
        row = self.find(who)
        if self._forwards_all:
            return Duty.DUE
        if row.get("withheld"):
            return Duty.NEVER
        if self.is_undecided(row):
            return Duty.EITHER
        if is_recipient:
            is_in_doubt = record.origin == MARKETPLACE or who.email in self._once_unknown
            return Duty.EITHER if is_in_doubt else Duty.DUE
        is_in_doubt = MARKETPLACE in (row.get("gifts_from") or ()) or who.email in self._once_unknown
        return self._judge_changed(record, who) if is_in_doubt else Duty.DUE

    def _judge_changed(self, record: EventRecord, who: Recipient) -> Duty:
        """An event of someone who became known at the storefront by an order, or had a gift of the Marketplace.

        What names no place may have waited until the storefront knew them. A hook that was lost may go either way; so
        may what follows an order at the storefront whose hook was lost.
        """
        was_sent = record.accepted > 0 and not record.is_lost
        if not record.knows_person:
            return Duty.NEVER if was_sent and record.origin == MARKETPLACE else Duty.EITHER
        is_shown = record.n >= self._shown.get(who.email, record.n + 1)
        is_found = record.is_repaired and record.origin == STOREFRONT  # the order itself is read from the API
        return Duty.DUE if is_shown or is_found else Duty.EITHER
