"""The notes on events, in words. A note is `{"code": …}` with ids and reasons, never with values of a body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# code -> what it says; names in braces are of the note's other keys
NOTE_TEXTS: Mapping[str, str] = {
    "recipient_email_missing": "this is a gift, and no hook has named the recipient's address",
    "recipient_email_malformed": "what the buyer typed as the recipient's address is not an address",
    "recipient_is_buyer": "the buyer gave their own address as the recipient's",
    "email_malformed": "the body has an address that mail cannot reach",
    "no_email": "no address is known of the {role}",
    "customer_missing": "the body names no customer",
    "erased": "a person was erased from this event ({part})",
    "suppressed": "a suppressed person was taken out before this event was recorded ({part})",
    "field_set_aside": "the field {field} was left out: it {reason}",
}
_MORE_FIELDS = "{more} more fields were left out"


def describe_note(note: Mapping[str, Any]) -> str:
    """What a note says; of a code of another release, the code itself."""
    text = _MORE_FIELDS if "more" in note else NOTE_TEXTS.get(str(note.get("code")), "{code}")
    shown = {key: str(value).replace("_", " ") if key == "role" else value for key, value in note.items()}
    try:
        return text.format_map(shown)
    except KeyError:
        return str(note.get("code"))
