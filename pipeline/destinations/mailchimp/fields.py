"""Which of our attributes become merge fields, and what their values look like there (Mailchimp docs, Merge fields).

An audience has 30 merge fields, or 80 with the largest plan, so only these attributes have one of their own, and
survey answers and variants get what is left. A value is text of at most 255 bytes, a number, or a day.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipeline.destinations.json_text import truncate

MAX_TEXT_BYTES = 255
MAX_TAG_CHARACTERS = 10
OPEN_PREFIXES = ("survey_", "variant_")  # attributes whose names a shop decides
_YES_NO = ("yes", "no")
_DIGEST_CHARACTERS = 3
_OTHER_CHARACTERS = re.compile(r"[^A-Z0-9]+")
_MINOR_UNITS = 100  # Cratejoy's amounts are whole cents

Value = str | int | float


@dataclass(frozen=True, slots=True)
class MergeField:
    """A merge field: its tag, the attribute it holds, its type there."""

    tag: str
    attribute: str
    type: str

    @property
    def body(self) -> dict[str, Any]:
        """What creates it: not required, and on no form."""
        made = {"tag": self.tag, "name": self.attribute, "type": self.type, "required": False, "public": False}
        return {**made, "options": {"choices": list(_YES_NO)}} if self.type == "radio" else made


CUSTOMER_TAG = "CJ_ID"
FIELDS = (
    MergeField(CUSTOMER_TAG, "customer_id", "text"),
    MergeField("FNAME", "first_name", "text"),
    MergeField("LNAME", "last_name", "text"),
    MergeField("PHONE", "phone", "text"),
    MergeField("COUNTRY", "country", "text"),
    MergeField("ACCEPTSMKT", "accepts_marketing", "radio"),
    MergeField("SUBSTATUS", "subscription_status", "text"),
    MergeField("SUBPLAN", "subscription_plan", "text"),
    MergeField("SUBBOX", "subscription_box", "text"),
    MergeField("NEXTRENEW", "next_renewal_at", "date"),
    MergeField("ORDERS", "order_count", "number"),
    MergeField("LTV", "lifetime_value", "money"),
    MergeField("LASTORDER", "last_order_at", "date"),
    MergeField("BOXES", "boxes_shipped", "number"),
    MergeField("PAYFAILED", "payment_failed", "radio"),
    MergeField("GIFTRECIP", "gift_recipient", "radio"),
)
BY_ATTRIBUTE: Mapping[str, MergeField] = {field.attribute: field for field in FIELDS}


def describe_field(field: MergeField) -> dict[str, Any]:
    """Return the body that creates a field. Money is a number there."""
    return {**field.body, "type": "number" if field.type == "money" else field.type}


def make_open_tag(attribute: str) -> str:
    """Return the tag for a survey's answer or a variant: always the same, so that no process makes a second field."""
    digest = hashlib.sha256(attribute.encode()).hexdigest()[:_DIGEST_CHARACTERS].upper()
    name = _OTHER_CHARACTERS.sub("", attribute.partition("_")[2].upper())
    return f"{name[: MAX_TAG_CHARACTERS - _DIGEST_CHARACTERS - 1]}_{digest}"


def describe_open_field(attribute: str) -> dict[str, Any]:
    """Return the body that creates the field for a survey's answer or a variant."""
    return MergeField(make_open_tag(attribute), attribute, "text").body


def write_value(field: MergeField, value: Any) -> Value:
    """Return an attribute as its field takes it; "" clears the field."""
    return "" if value is None else _WRITERS[field.type](value)


def write_text(value: Any) -> str:
    """Return a value as text that fits."""
    return truncate(value if isinstance(value, str) else str(value), MAX_TEXT_BYTES)


def _write_day(value: Any) -> str:
    try:
        return datetime.fromtimestamp(int(value), UTC).date().isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


def _write_number(value: Any) -> Value:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _write_money(value: Any) -> Value:
    number = _write_number(value)
    return number if isinstance(number, str) else number / _MINOR_UNITS


_WRITERS: Mapping[str, Callable[[Any], Value]] = {
    "text": write_text,
    "radio": lambda value: _YES_NO[0] if value is True else _YES_NO[1],
    "date": _write_day,
    "number": _write_number,
    "money": _write_money,
}
