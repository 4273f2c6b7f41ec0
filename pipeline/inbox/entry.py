"""A hook before its body is decoded, and its form in the inbox: one-letter fields, and the raw body as it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.core.hooks import HEARTBEAT, HookEnvelope

HOOK = "hook"  # the source of most hooks, so it is not stored
_MAX_VERSION = 2**15 - 1  # of the ledger's column
_MAX_TIMESTAMP_US = 2**63 - 1


@dataclass(frozen=True, slots=True)
class RawHook:
    """A hook as the receiver got it."""

    receipt: str  # the id that the sender was answered with
    store: str
    version: int  # of the token in the URL
    event: str
    received_at: int  # µs
    raw: bytes
    query: str | None = None  # only a GET has one
    source: str = HOOK

    @property
    def size(self) -> int:
        """About how many bytes it takes in memory or on disk."""
        return len(self.raw) + len(self.query or "") + 200


@dataclass(frozen=True, slots=True)
class InboxEntry(RawHook):
    """A hook read from the inbox."""

    entry_id: str = ""  # the stream's id, "<ms>-<n>"

    @property
    def envelope(self) -> HookEnvelope:
        """What the links of the chain carry of the hook: everything except its body."""
        return HookEnvelope(
            entry_id=self.entry_id,
            receipt=self.receipt,
            store=self.store,
            version=self.version,
            event=self.event,
            received_at=self.received_at,
            source=self.source,
        )


def build_heartbeat(at: int) -> RawHook:
    """Return a heartbeat sent at `at` (µs): a hook of our own, from a store name that no store can have.

    Its body differs from all others, so that a failed try of one heartbeat is not counted against the next.
    """
    return RawHook(f"{at:014x}{HEARTBEAT}", "", 0, HEARTBEAT, at, b'{"sent_at":%d}' % at, source=HEARTBEAT)


def to_fields(hook: RawHook) -> list[bytes]:
    """Return the hook as the fields of a stream entry: name, value, name, value, …"""
    fields = [
        *(b"r", hook.receipt.encode()),
        *(b"s", _encode(hook.store)),
        *(b"v", b"%d" % hook.version),
        *(b"e", hook.event.encode()),
        *(b"t", b"%d" % hook.received_at),
        *(b"b", hook.raw),
    ]
    if hook.query is not None:
        fields += (b"q", _encode(hook.query))
    if hook.source != HOOK:
        fields += (b"o", hook.source.encode())
    return fields


def from_fields(entry_id: str, fields: Mapping[bytes, bytes]) -> InboxEntry:
    """Return the stream entry as a hook.

    Never fails: an entry that lacks a field, or has a value that the ledger cannot store, must not block the inbox. It
    becomes a dead hook later.
    """
    return InboxEntry(
        entry_id=entry_id,
        receipt=_decode(fields.get(b"r", entry_id.encode())),
        store=_decode(fields.get(b"s", b"")),
        version=_parse_number(fields, b"v", _MAX_VERSION),
        event=_decode(fields.get(b"e", b"")),
        received_at=get_received_at(fields),
        source=_decode(fields.get(b"o", HOOK.encode())),
        raw=fields.get(b"b", b""),
        query=get_query(fields),
    )


def get_received_at(fields: Mapping[bytes, bytes]) -> int:
    """Return when the hook was received, in µs."""
    return _parse_number(fields, b"t", _MAX_TIMESTAMP_US)


def get_query(fields: Mapping[bytes, bytes]) -> str | None:
    """Return the query string of a GET."""
    return _decode(fields[b"q"]) if b"q" in fields else None


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decode(value: bytes) -> str:
    return value.decode("utf-8", "replace").replace("\0", "")


def _parse_number(fields: Mapping[bytes, bytes], name: bytes, maximum: int) -> int:
    """Return the field's number; 0 if it is not a number or above the maximum."""
    digits = fields.get(name, b"")
    number = int(digits) if digits.isdigit() and len(digits) <= len(str(maximum)) else 0
    return number if number <= maximum else 0
