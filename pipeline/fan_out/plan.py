"""One loaded body -> who is concerned, what each of them is told, and what we learn. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.core.hooks import Role
from pipeline.events.catalogue import EventRow
from pipeline.events.fields import get_path
from pipeline.events.identity import EventIdentity
from pipeline.fan_out.customers import Customer, find_customer, get_fulfillments, get_orders
from pipeline.fan_out.facts import Fact, FactSource, customer_facts, recipient_facts
from pipeline.fan_out.gifts import Gift, KnownGifts, Subject, find_gift, find_subjects
from pipeline.fan_out.payloads import build_customer_payload, build_recipient_payload
from schemas.email import is_email

Note = dict[str, Any]  # {"code": …} and ids


@dataclass(frozen=True, slots=True)
class AffectedPerson:
    """One person an event concerns: known by customer id, by address, or by the orders and boxes that are theirs.

    `malformed`: the body has an address for them that is none.
    """

    role: Role
    customer_id: int | None
    email: str | None
    subjects: tuple[Subject, ...]
    data: dict[str, Any]
    facts: tuple[Fact, ...]
    has_malformed_email: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What one hook means."""

    subject_id: int | None
    is_test: bool
    people: tuple[AffectedPerson, ...]
    subjects: tuple[Subject, ...]
    notes: tuple[Note, ...]


def plan_event(
    row: EventRow, data: Mapping[str, Any], identity: EventIdentity, known_gifts: KnownGifts, store: str, currency: str
) -> Plan:
    """The plan of one hook of a store. `memory` knows whose gift earlier orders and subscriptions were."""
    test = is_test(row, data)
    buyer = find_customer(row, data)
    gift = find_gift(row, data, known_gifts)
    told = FactSource(row, data, identity, gift, test)
    subjects = find_subjects(row, data)
    notes: list[Note] = []
    people: list[AffectedPerson] = []
    if row.buyer:
        copy = build_customer_payload(row, data, store, currency) | {"is_gift": gift is not None, "is_test": test}
        who = buyer or Customer(None, None, {})
        facts = tuple(customer_facts(told, who))
        people.append(AffectedPerson("customer", who.id, who.email, subjects, copy, facts, who.has_malformed_email))
        notes += [{"code": "email_malformed", "role": "customer"}] if who.has_malformed_email else []
    if gift is not None and row.gift_copy:
        recipient, why = _plan_gift_recipient(told, gift, buyer, store)
        people += [recipient] if recipient else []
        notes += [{"code": why}] if why else []
    subject_id = get_path(data, f"{row.at}.id" if row.at else "id") if row.subject else None
    return Plan(subject_id if isinstance(subject_id, int) else None, test, tuple(people), subjects, tuple(notes))


def is_test(row: EventRow, data: Mapping[str, Any]) -> bool:
    """Whether the body is of test mode: its subject, its order or any of its fulfilments says so."""
    models = [get_path(data, row.at), data, *get_orders(row, data), *get_fulfillments(data)]
    return any(isinstance(one, dict) and (one.get("is_test") or one.get("test")) for one in models)


def _plan_gift_recipient(
    source: FactSource, gift: Gift, buyer: Customer | None, store: str
) -> tuple[AffectedPerson | None, str | None]:
    """The recipient, or why there is none to tell: never somebody else in their place."""
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
