"""People in the bytes of a hook: which keys they show, and the bytes without them."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from pipeline.core.errors import BadHook
from pipeline.core.hooks import RawBody
from pipeline.decode import decode
from pipeline.events.catalogue import EventRow
from pipeline.events.fields import get_path
from pipeline.redaction.body import Redaction
from pipeline.redaction.identity import Key
from pipeline.redaction.text import find_addresses, list_views

EMPTIED_KEY = "emptied"  # in the detail of a dead hook whose bytes are gone, so that it cannot be replayed


def redact_raw(raw: RawBody, redactions: Iterable[Redaction]) -> bytes:
    """What was sent, without these people, as JSON; empty if nothing is left or it cannot be read."""
    try:
        body = decode(*raw).body
    except BadHook:
        return b""
    emails: set[str] = set()
    for redaction in redactions:
        body = redaction.apply(body)
        emails |= redaction.who.emails
    try:
        text = orjson.dumps(body) if body else b""
    except TypeError:  # a lone surrogate, or a number beyond 64 bits
        return b""
    return b"" if emails & find_addresses(list_views(text)) else text


def list_raw_keys(row: EventRow, raw: RawBody) -> list[Key]:
    """The keys of people in a body that no schema has loaded: all addresses, and its customer's id."""
    keys: list[Key] = [("email", address) for address in sorted(find_addresses(list_views(*raw)))]
    try:
        body = decode(*raw).body
    except BadHook:
        return keys
    places = [f"{path}.id" if path else "id" for path in row.buyer]
    found = {str(get_path(body, path)) for path in (*places, "customer_id", "order.customer_id")}
    return [*keys, *(("customer", number) for number in sorted(found) if number.isdecimal())]
