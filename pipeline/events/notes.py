"""The notes on events, in words. A note is `{"code": …}` with ids and reasons, never with values of a body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The gift's recipient, looked up through the store's API because the hook names no usable address
RECIPIENT_ASKED, RECIPIENT_FOUND, RECIPIENT_NOT_FOUND = "recipient_asked", "recipient_found", "recipient_not_found"

# code -> what it says; names in braces are of the note's other keys
NOTE_TEXTS: Mapping[str, str] = {
    "recipient_email_missing": "this is a gift, and no hook has named the recipient's address",
    "recipient_email_malformed": "what the buyer typed as the recipient's address is not an address",
    "recipient_is_buyer": "the buyer gave their own address as the recipient's",
    RECIPIENT_ASKED: "Cratejoy's API is being asked for the recipient's address",
    RECIPIENT_FOUND: "the recipient's address was found later",
    RECIPIENT_NOT_FOUND: "Cratejoy's API knows no address of the recipient either, so there is no one to send to",
    "email_malformed": "the body has an address that mail cannot reach",
    "no_email": "no address is known of the {role}",
    "customer_missing": "the body names no customer",
    "erased": "a person was erased from this event ({part})",
    "suppressed": "a suppressed person was taken out before this event was recorded ({part})",
    "withheld_marketplace": "withheld: Marketplace ({role})",
    "withheld_origin_unknown": "withheld: not known whether the {role} is of the storefront or of Marketplace",
    "withheld_gift_recipient": "withheld: gift recipients get no messages",
    "left_out": "connection {connection} gets no such event, by its mapping",
    "field_set_aside": "the field {field} was left out: it {reason}",
}
_PARTS = {"whole": "all of it", "buyer": "the buyer", "recipient": "the gift recipient", "mention": "a mention"}
_MORE_FIELDS = "{more} more fields were left out"


def describe_note(note: Mapping[str, Any]) -> str:
    """What a note says; of a code of another release, the code itself."""
    text = _MORE_FIELDS if "more" in note else NOTE_TEXTS.get(str(note.get("code")), "{code}")
    shown = {key: _name(key, value) for key, value in note.items()}
    try:
        return text.format_map(shown)
    except KeyError:
        return str(note.get("code"))


def _name(key: str, value: object) -> object:
    if key == "part":
        return _PARTS.get(str(value), value)
    return str(value).replace("_", " ") if key == "role" else value
