"""Builds members: an address, who that is in Cratejoy, and merge fields (Mailchimp docs, List members).

A new member is `transactional`: they get no marketing. Only a person who agreed at the shop becomes a subscriber, if
the merchant wants that, and only as the audience demands. What a member has chosen before is never changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from pipeline.core.messages import Message, PersonRef, Rejected
from pipeline.destinations.json_text import to_json
from pipeline.destinations.mailchimp.fields import BY_ATTRIBUTE, CUSTOMER_TAG, OPEN_PREFIXES, write_text, write_value

CUSTOMER_ID_PREFIX = "cj_"
GIFT_TAG = "Gift recipient"
NOT_SUBSCRIBED = "transactional"
UNKNOWN_PERSON = Rejected("no_identifier", "no e-mail address is known, and Mailchimp knows people by address only")


def hash_address(email: str) -> str:
    """Return the key of a member (Mailchimp docs: the MD5 hash of the address in lower case)."""
    return hashlib.md5(email.strip().lower().encode(), usedforsecurity=False).hexdigest()


def build_member(message: Message, open_tags: Mapping[str, str], status_if_new: str) -> dict[str, Any]:
    """Return the body that creates or updates a member. `open_tags`: tags of surveys and variants, by attribute."""
    fields = {
        field.tag: write_value(field, message.data[name])
        for name, field in BY_ATTRIBUTE.items()
        if name in message.data and not _is_needless(message, name)
    }
    for name, tag in open_tags.items():
        if name in message.data and not _is_needless(message, name):
            value = message.data[name]
            fields[tag] = "" if value is None else write_text(value)
    return {
        "email_address": message.person.email,
        "status_if_new": status_if_new,
        "merge_fields": {**fields, **_name_customer(message.person)},
    }


def build_bare_member(person: PersonRef) -> dict[str, Any]:
    """Return the body that creates a member of whom nothing else is known yet."""
    return {"email_address": person.email, "status_if_new": NOT_SUBSCRIBED, "merge_fields": _name_customer(person)}


def list_open_attributes(message: Message) -> list[str]:
    """Return the survey answers and variants of a profile that have a value."""
    names = sorted(name for name in message.data if name.startswith(OPEN_PREFIXES))
    return [name for name in names if message.data[name] is not None]


def tags_body(message: Message) -> bytes | None:
    """Return the tags that a first profile gets, and that start no automation; None if it gets none."""
    if message.has_profile or message.data.get("gift_recipient") is not True:
        return None
    return to_json({"tags": [{"name": GIFT_TAG, "status": "active"}], "is_syncing": True})


def choose_status(message: Message, *, subscribes_consenting: bool, is_double_optin: bool) -> str:
    """Return the status of a new member.

    A profile of a backfill is of no event: 5,000 people would be welcomed at once, so none of them is subscribed.
    """
    has_agreed = message.data.get("accepts_marketing") is True and message.event_id is not None
    if not (subscribes_consenting and has_agreed):
        return NOT_SUBSCRIBED
    return "pending" if is_double_optin else "subscribed"


def _is_needless(message: Message, name: str) -> bool:
    """Clearing what a new member does not have."""
    return message.data[name] is None and not message.has_profile


def _name_customer(person: PersonRef) -> dict[str, str]:
    return {} if person.customer_id is None else {CUSTOMER_TAG: f"{CUSTOMER_ID_PREFIX}{person.customer_id}"}
