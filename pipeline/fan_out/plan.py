"""One loaded body -> who is concerned, what each of them is told, and what we learn. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.events.happening import Happening
from pipeline.events.paths import dig
from pipeline.events.table import EventRow
from pipeline.fan_out.copies import customer_copy, recipient_copy
from pipeline.fan_out.facts import Fact, Telling, customer_facts, recipient_facts
from pipeline.fan_out.gifts import Gift, Memory, Subject, gift_known, subjects_of
from pipeline.fan_out.people import Customer, customer_of, fulfillments_in, orders_in
from pipeline.model import Role
from schemas.email import is_email

Note = dict[str, Any]  # {"code": …} and ids


@dataclass(frozen=True, slots=True)
class Concerned:
    """One person an event concerns: known by customer id, by address, or by the orders and boxes that are theirs.

    `malformed`: the body has an address for them that is none.
    """

    role: Role
    customer_id: int | None
    email: str | None
    subjects: tuple[Subject, ...]
    data: dict[str, Any]
    facts: tuple[Fact, ...]
    malformed: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What one hook means."""

    subject_id: int | None
    is_test: bool
    people: tuple[Concerned, ...]
    subjects: tuple[Subject, ...]
    notes: tuple[Note, ...]


def plan_event(
    row: EventRow, data: Mapping[str, Any], happening: Happening, memory: Memory, store: str, currency: str
) -> Plan:
    """The plan of one hook of a store. `memory` knows whose gift earlier orders and subscriptions were."""
    test = is_test(row, data)
    buyer = customer_of(row, data)
    gift = gift_known(row, data, memory)
    told = Telling(row, data, happening, gift, test)
    subjects = subjects_of(row, data)
    notes: list[Note] = []
    people: list[Concerned] = []
    if row.buyer:
        copy = customer_copy(row, data, store, currency) | {"is_gift": gift is not None, "is_test": test}
        who = buyer or Customer(None, None, {})
        facts = tuple(customer_facts(told, who))
        people.append(Concerned("customer", who.id, who.email, subjects, copy, facts, who.malformed))
        notes += [{"code": "email_malformed", "role": "customer"}] if who.malformed else []
    if gift is not None and row.gift_copy:
        recipient, why = _recipient(told, gift, buyer, store)
        people += [recipient] if recipient else []
        notes += [{"code": why}] if why else []
    subject_id = dig(data, f"{row.at}.id" if row.at else "id") if row.subject else None
    return Plan(subject_id if isinstance(subject_id, int) else None, test, tuple(people), subjects, tuple(notes))


def is_test(row: EventRow, data: Mapping[str, Any]) -> bool:
    """Whether the body is of test mode: its subject, its order or any of its fulfilments says so."""
    models = [dig(data, row.at), data, *orders_in(row, data), *fulfillments_in(data)]
    return any(isinstance(one, dict) and (one.get("is_test") or one.get("test")) for one in models)


def _recipient(told: Telling, gift: Gift, buyer: Customer | None, store: str) -> tuple[Concerned | None, str | None]:
    """The recipient, or why there is none to tell: never somebody else in their place."""
    if gift.redeemed:  # Gifting 1.0: the customer of this order is the recipient already
        return None, None
    if not gift.email:
        return None, "recipient_email_missing"
    if not is_email(gift.email):
        return None, "recipient_email_malformed"
    if buyer is not None and buyer.email == gift.email:
        return None, "recipient_is_buyer"
    facts = recipient_facts(told, gift, _gift_name(told.row, told.data))
    copy = recipient_copy(told.row, told.data, store, gift) | {"is_test": told.is_test}
    return Concerned("gift_recipient", None, gift.email, (), copy, tuple(facts)), None


def _gift_name(row: EventRow, data: Mapping[str, Any]) -> str:
    kind, number = next(iter(subjects_of(row, data)), ("gift", 0))
    return f"{kind}:{number}"
