"""A hook before anybody has looked into it, and how it lies in the inbox: one-letter fields, raw bytes as they came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HOOK = "hook"  # the source most hooks have, so it is not written down
_MAX_VERSION = 2**15 - 1  # what the ledger's columns hold
_MAX_TIMESTAMP_US = 2**63 - 1


@dataclass(frozen=True, slots=True)
class RawHook:
    """What the receiver knows of a hook."""

    receipt: str  # what the sender was told
    store: str
    version: int  # of the token in the URL
    event: str
    received_at: int  # µs
    raw: bytes
    query: str | None = None  # only a GET has one
    source: str = HOOK

    @property
    def size(self) -> int:
        """About how much room it takes, in bytes."""
        return len(self.raw) + len(self.query or "") + 200


@dataclass(frozen=True, slots=True)
class InboxEntry(RawHook):
    """A hook read from the inbox."""

    entry_id: str = ""  # the stream's id, "<ms>-<n>"


def to_fields(hook: RawHook) -> list[bytes]:
    """A hook as the fields of a stream entry: name, value, name, value, …"""
    fields = [
        *(b"r", hook.receipt.encode()),
        *(b"s", _bytes(hook.store)),
        *(b"v", b"%d" % hook.version),
        *(b"e", hook.event.encode()),
        *(b"t", b"%d" % hook.received_at),
        *(b"b", hook.raw),
    ]
    if hook.query is not None:
        fields += (b"q", _bytes(hook.query))
    if hook.source != HOOK:
        fields += (b"o", hook.source.encode())
    return fields


def from_fields(entry_id: str, fields: Mapping[bytes, bytes]) -> InboxEntry:
    """The stream entry as a hook. One that lacks a field, or holds what no ledger takes, must not stop the inbox: it
    becomes a dead hook later.
    """
    return InboxEntry(
        entry_id=entry_id,
        receipt=_text(fields.get(b"r", entry_id.encode())),
        store=_text(fields.get(b"s", b"")),
        version=_parse_number(fields, b"v", _MAX_VERSION),
        event=_text(fields.get(b"e", b"")),
        received_at=get_received_at(fields),
        source=_text(fields.get(b"o", HOOK.encode())),
        raw=fields.get(b"b", b""),
        query=get_query(fields),
    )


def get_received_at(fields: Mapping[bytes, bytes]) -> int:
    """When the receiver took the hook, in µs."""
    return _parse_number(fields, b"t", _MAX_TIMESTAMP_US)


def get_query(fields: Mapping[bytes, bytes]) -> str | None:
    """The query string of a GET."""
    return _text(fields[b"q"]) if b"q" in fields else None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace").replace("\0", "")


def _parse_number(fields: Mapping[bytes, bytes], name: bytes, maximum: int) -> int:
    """A field's number; 0 if it is none, or more than there can be."""
    digits = fields.get(name, b"")
    number = int(digits) if digits.isdigit() and len(digits) <= len(str(maximum)) else 0
    return number if number <= maximum else 0
