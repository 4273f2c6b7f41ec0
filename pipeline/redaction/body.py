"""Takes one person out of a body, and keeps what is the other's.

A buyer leaves behind what a gift recipient's copy is built from, by an allow-list. A gift recipient leaves behind the
buyer's order without the gift's address, name and message and without the postal address, and without any text that
names them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pipeline.events.catalogue import EventRow
from pipeline.events.fields import get_path
from pipeline.fan_out.customers import find_customer, get_fulfillments, get_orders, keep_own_boxes, list_other_customers
from pipeline.fan_out.gifts import find_subjects, read_gift
from pipeline.redaction.identity import Identity, list_strings
from pipeline.redaction.text import build_pattern, split_words
from schemas.email import is_email, normalize_email

SUPPRESSED = "suppressed"  # in notes and details: taken out before it was recorded
ERASED = "erased"  # taken out of what was recorded

# whole: nothing of the body is another person's. buyer, recipient: what is left is the other's. mention: they are in a
# text of another person's body.
Part = Literal["whole", "buyer", "recipient", "mention"]

_GIFT_KEYS = ("order_gift_info", "subscription_gift_info", "sent_gift", "received_gift")
_ADDRESS_KEYS = ("ship_address", "shipping_address", "address")
_MIN_PHRASE_CHARACTERS = 6  # of a text that only they had: a street or a phone number, not a state
# What a gift recipient's copy is built from, the ids that connect an event with its gift, and `source`: an order of the
# Marketplace decides whether its recipient's data may leave.
_KEPT_FOR_RECIPIENT = frozenset(
    {
        *("id", "type", "status", "fulfillment_status", "placed_at", "shipped_at", "start_date", "end_date"),
        *("created_at", "adjusted_ordered_at", "is_renewal", "is_gift", "is_test", "test", "is_ecom", "source"),
        *("tracking_number", "tracking_link", "carrier_name", "carrier", "is_void", "labels"),
        *("order", "orders", "transaction", "subscription", "subscriptions", "fulfillments", "shipments"),
        *("order_id", "subscription_id", "shipment_id", "cycle_number", "total_cycles", "num_cycles", "term"),
        *("product", "products", "product_instance", "instance", "name", "sku", "result"),
    }
)
_ID_KEYS = ("id", "type")


@dataclass(frozen=True, slots=True)
class Redaction:
    """How one person is taken out of one body."""

    part: Part
    who: Identity
    words: frozenset[str] = frozenset()  # words of their names that the other person's names lack
    phrases: frozenset[str] = frozenset()  # further texts that only they had

    def apply(self, body: object) -> Any:
        """The body without the person: the loaded data, or the body as it was sent. {} if nothing is left."""
        if self.part == "whole":
            return {}
        if self.part == "buyer":
            body = _keep_for_recipient(body)
        elif self.part == "recipient":
            body = _drop_recipient(body, self.who)
        return self.blank_texts(body)

    def apply_to_copy(self, data: object) -> Any:
        """The data of the other person's message without this person."""
        return self.blank_texts(_drop_recipient(data, self.who) if self.part == "recipient" else data)

    def blank_texts(self, body: object) -> Any:
        """The body with null for every text that names the person."""
        phrases = {*self.who.emails, *(name for name in self.who.names if " " in name), *self.phrases}
        pattern = build_pattern(phrases, self.words)
        return body if pattern is None else _blank(body, pattern, self.who.emails)


def find_redaction(
    row: EventRow, data: Mapping[str, Any], who: Identity, *, is_linked_recipient: bool = False
) -> Redaction | None:
    """How this person is taken out of a loaded body; None if they are not in it.

    `is_linked_recipient`: the ledger has them as the recipient of a gift that the body does not name.
    """
    customer, gift, subjects = find_customer(row, data), read_gift(row, data), find_subjects(row, data)
    is_recipient = is_linked_recipient or not who.received.isdisjoint(subjects)
    is_recipient = is_recipient or (gift is not None and not gift.is_redeemed and gift.email in who.emails)
    own = find_subjects(row, keep_own_boxes(row, data, customer))
    if who.is_customer(customer, own if row.buyer else ()):
        other = gift is not None and not gift.is_redeemed and is_email(gift.email) and not is_recipient
        return _build("buyer" if other else "whole", row, data, who)
    if is_recipient:
        return _build("recipient" if customer is not None else "whole", row, data, who)
    if names := _find_names_in_parcel(row, data, who):
        return _build("mention", row, data, replace(who, names=who.names | names))
    if any(_names(text, who.emails) for text in list_strings(data)):
        return _build("mention" if customer is not None or gift is not None else "whole", row, data, who)
    return None


def find_others_redactions(row: EventRow, data: Mapping[str, Any]) -> list[Redaction]:
    """How each customer of an order in another customer's parcel is taken out of its body."""
    found: list[Redaction] = []
    for other in list_other_customers(row, data):
        emails = frozenset({other.email} if other.email else ())
        ids = frozenset({other.id} if other.id is not None else ())
        found.append(_build("mention", row, data, Identity(emails, ids, frozenset(_customer_names(other.fields)))))
    return found


def find_names(row: EventRow, data: Mapping[str, Any], who: Identity) -> set[str]:
    """The names by which a body calls the person."""
    customer, gift = find_customer(row, data), read_gift(row, data)
    names: set[str] = set()
    if customer is not None and (customer.id in who.customer_ids or customer.email in who.emails):
        names |= _customer_names(customer.fields)
    if gift is not None and gift.email in who.emails and gift.name:
        names.add(gift.name)
    return names


def _find_names_in_parcel(row: EventRow, data: Mapping[str, Any], who: Identity) -> set[str]:
    """The person's names in their own orders in another customer's parcel."""
    mine = (other for other in list_other_customers(row, data) if who.is_customer(other, ()))
    return {name for other in mine for name in _customer_names(other.fields)}


def _build(part: Part, row: EventRow, data: Mapping[str, Any], who: Identity) -> Redaction:
    customer, gift = find_customer(row, data), read_gift(row, data)
    customer_names = _customer_names(customer.fields) if customer is not None else set()
    gift_names = {gift.name} if gift is not None and gift.name else set()
    names, others = {*who.names, *find_names(row, data, who)}, customer_names | gift_names
    if part in ("buyer", "whole"):
        names, others = names | customer_names, gift_names - names if part == "buyer" else set()
    elif part == "recipient":
        names, others = names | gift_names, customer_names
    elif part == "mention":
        names = set(who.names)
    phrases = _list_phrases(row, data, part, others) - {name.casefold() for name in others}
    identity = Identity(who.emails, who.customer_ids, frozenset(names - others), who.bought, who.received)
    words = split_words(names) - split_words(others)
    return Redaction(part, identity, frozenset(words), frozenset(phrases))


def _list_phrases(row: EventRow, data: Mapping[str, Any], part: Part, other_names: Iterable[str]) -> set[str]:
    """Streets, phone numbers and the like of the address that the person takes along."""
    if part != "recipient":
        return set()
    models = [data, *get_orders(row, data), *get_fulfillments(data)]
    found = [item for model in models for key in _ADDRESS_KEYS if isinstance(item := model.get(key), dict)]
    others = {name.casefold() for name in other_names}
    texts = {
        str(address.get(key)).casefold()
        for address in found
        for key in ("to", "street", "unit", "phone_number")
        if isinstance(address.get(key), str)
    }
    return {text for text in texts if len(text) >= _MIN_PHRASE_CHARACTERS} - others


def _customer_names(fields: Mapping[str, Any]) -> set[str]:
    found = {fields.get(key) for key in ("name", "first_name", "last_name")}
    found |= {get_path(address, "to") for address in fields.get("addresses") or ()}
    full = " ".join(str(fields[key]) for key in ("first_name", "last_name") if fields.get(key))
    return {name for name in (*found, full) if isinstance(name, str) and name}


def _keep_for_recipient(value: object) -> Any:
    """What a recipient's copy is built from; a gift's own data is whole, except its sender."""
    if isinstance(value, list):
        return [_keep_for_recipient(item) for item in value]
    if not isinstance(value, dict):
        return value
    gifts = {key: _without_sender(value[key]) for key in _GIFT_KEYS if key in value}
    return {key: _keep_for_recipient(item) for key, item in value.items() if key in _KEPT_FOR_RECIPIENT} | gifts


def _without_sender(gift: object) -> object:
    return {key: item for key, item in gift.items() if key != "gift_sender"} if isinstance(gift, dict) else gift


def _drop_recipient(value: object, who: Identity) -> Any:
    """The body without its gift's recipient and the address that the box goes to."""
    if isinstance(value, list):
        return [_drop_recipient(item, who) for item in value]
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    for key, item in value.items():
        if key in _GIFT_KEYS and isinstance(item, dict):
            kept[key] = {name: item[name] for name in _ID_KEYS if name in item}
        elif key not in (*_ADDRESS_KEYS, "gift_message"):
            kept[key] = _drop_recipient(item, who)
    return kept


def _blank(value: object, pattern: re.Pattern[str], emails: Iterable[str]) -> Any:
    """The value with null for every text that the pattern finds, and without such keys."""
    if isinstance(value, str):
        return None if pattern.search(value.casefold()) or _names(value, emails) else value
    if isinstance(value, list):
        return [_blank(item, pattern, emails) for item in value]
    if isinstance(value, dict):
        return {
            key: _blank(item, pattern, emails)
            for key, item in value.items()
            if not isinstance(key, str) or _blank(key, pattern, emails) is not None
        }
    return value


def _names(text: str, emails: Iterable[str]) -> bool:
    """Whether the text contains one of the addresses."""
    if "@" not in text:
        return False
    normal = normalize_email(text) or ""
    return any(email in normal for email in emails)
