"""Plans one event: the people it concerns, what each of them is sent, and the facts about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.core.hooks import Role
from pipeline.events.catalogue import EventRow
from pipeline.events.fields import get_path
from pipeline.events.identity import EventIdentity
from pipeline.fan_out.customers import Customer, find_customer, get_fulfillments, get_orders, keep_own_boxes
from pipeline.fan_out.facts import Fact, FactSource, customer_facts, recipient_facts
from pipeline.fan_out.gifts import Gift, KnownGifts, Subject, find_gift, find_subjects
from pipeline.fan_out.payloads import build_customer_payload, build_recipient_payload
from schemas.email import is_email

Note = dict[str, Any]  # {"code": …} and ids


@dataclass(frozen=True, slots=True)
class AffectedPerson:
    """A person whom an event concerns, identified by customer id, e-mail address, or their orders and boxes."""

    role: Role
    customer_id: int | None
    email: str | None
    subjects: tuple[Subject, ...]
    data: dict[str, Any]
    facts: tuple[Fact, ...]
    has_malformed_email: bool = False  # the body has an address for them that is not valid


@dataclass(frozen=True, slots=True)
class Plan:
    """What follows from one hook."""

    subject_id: int | None
    is_test: bool
    people: tuple[AffectedPerson, ...]
    subjects: tuple[Subject, ...]
    notes: tuple[Note, ...]
    gift: Gift | None = None  # what the event is a gift of
    known_gifts: tuple[Gift, ...] = ()  # of its subjects: a giver's renewal is no gift, and may go to the recipient


def plan_event(
    row: EventRow, data: Mapping[str, Any], identity: EventIdentity, known_gifts: KnownGifts, store: str, currency: str
) -> Plan:
    """Plan one hook of a store. `known_gifts`: whose gift earlier orders, subscriptions and shipments are."""
    test = is_test(row, data)
    buyer = find_customer(row, data)
    all_subjects = find_subjects(row, data)
    whole, data = data, keep_own_boxes(row, data, buyer)
    subjects = all_subjects if data is whole else find_subjects(row, data)
    gift = find_gift(row, data, known_gifts, subjects)
    source = FactSource(row, data, identity, gift, test)
    notes: list[Note] = []
    people: list[AffectedPerson] = []
    if row.buyer:
        copy = build_customer_payload(row, data, store, currency) | {"is_gift": gift is not None, "is_test": test}
        customer = buyer or Customer(None, None, {})
        facts = tuple(customer_facts(source, customer))
        people.append(
            AffectedPerson("customer", customer.id, customer.email, subjects, copy, facts, customer.has_malformed_email)
        )
        if customer.has_malformed_email:
            notes.append({"code": "email_malformed", "role": "customer"})
    if gift is not None and row.gift_copy:
        recipient, reason = _plan_gift_recipient(source, gift, buyer, store)
        people += [recipient] if recipient else []
        notes += [{"code": reason}] if reason else []
    subject_id = get_path(data, f"{row.at}.id" if row.at else "id") if row.subject else None
    known = tuple(known_gifts[subject] for subject in all_subjects if subject in known_gifts)
    number = subject_id if isinstance(subject_id, int) else None
    return Plan(number, test, tuple(people), all_subjects, tuple(notes), gift, known)


def is_test(row: EventRow, data: Mapping[str, Any]) -> bool:
    """Return whether the body is of test mode: its subject, its order or any of its fulfilments says so."""
    models = [get_path(data, row.at), data, *get_orders(row, data), *get_fulfillments(data)]
    return any(isinstance(model, dict) and (model.get("is_test") or model.get("test")) for model in models)


def _plan_gift_recipient(
    source: FactSource, gift: Gift, buyer: Customer | None, store: str
) -> tuple[AffectedPerson | None, str | None]:
    """Return the recipient, or the reason why there is none. No other person takes their place."""
    if gift.is_redeemed:  # Gifting 1.0: the customer of this order is the recipient already
        return None, None
    if not gift.email:
        return None, "recipient_email_missing"
    if not is_email(gift.email):
        return None, "recipient_email_malformed"
    if buyer is not None and buyer.email == gift.email:
        return None, "recipient_is_buyer"
    facts = recipient_facts(source, gift, _gift_label(source.row, source.data))
    copy = build_recipient_payload(source.row, source.data, store, gift) | {"is_test": source.is_test}
    return AffectedPerson("gift_recipient", None, gift.email, (), copy, tuple(facts)), None


def _gift_label(row: EventRow, data: Mapping[str, Any]) -> str:
    kind, number = next(iter(find_subjects(row, data)), ("gift", 0))
    return f"{kind}:{number}"
