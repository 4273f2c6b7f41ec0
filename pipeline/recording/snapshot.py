"""What the ledger knows that a batch needs, as plain values: `load` fills them, the pure steps read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.core.hooks import HookEnvelope
from pipeline.fan_out.consent import ConsentRules
from pipeline.fan_out.gifts import Gift, Subject

EventKey = tuple[int, str]  # store id, the key of an event identity in that store
_DEFAULT_RULES = ConsentRules()

GiftKey = tuple[int, Subject]  # store id, what is the gift


@dataclass(frozen=True, slots=True)
class RecordingStore:
    """A store, as far as recording needs it."""

    id: int
    name: str
    token_version: int
    old_token_until: int | None  # µs; hooks received before this may carry the version before
    currency: str
    forward_also: tuple[str, ...]  # events that are forwarded beside those forwarded by default
    forward_tests: bool
    record_only: bool  # what only the API has shown is not forwarded
    connections: tuple[tuple[int, int], ...]  # (connection id, its number of lanes)
    has_api: bool = False  # we have keys for its Merchant API
    has_warehouse: bool = False  # its boxes go to a warehouse, so that hooks hint at shipments to look at
    consent: ConsentRules = _DEFAULT_RULES
    left_out: Mapping[int, frozenset[str]] = field(default_factory=dict)  # events by connection that does not get them
    not_forwarded: tuple[str, ...] = ()  # of the events forwarded by default, those the store has switched off

    def accepts(self, version: int, received_at: int) -> bool:
        """Whether a hook received then, through a URL of this token version, came through a valid URL of the store."""
        is_old_but_valid = version == self.token_version - 1 and received_at < (self.old_token_until or 0)
        return version == self.token_version or is_old_but_valid

    def build_envelope(self, event: str, *, received_at: int, source: str, receipt: str, entry_id: str) -> HookEnvelope:
        """The envelope of a hook that came through no URL: it is built from the API, or from an earlier event."""
        return HookEnvelope(
            entry_id=entry_id,
            receipt=receipt,
            store=self.name,
            version=self.token_version,
            event=event,
            received_at=received_at,
            source=source,
        )


@dataclass(frozen=True, slots=True)
class WaitingDeadHook:
    """A stored dead hook that was not replayed."""

    store_id: int | None
    received_at: int
    event: str


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """An event that is known already, and the receipt of the hook that reported it first.

    `receipt` is empty for an event that is older than events are kept: only its identity is known.
    """

    event_id: int | None  # None: an earlier hook of this very batch
    received_at: int
    receipt: str


@dataclass(frozen=True, slots=True)
class EarlierEvent:
    """A recorded event, with the columns from which its hook can be rebuilt."""

    id: int
    store_id: int
    name: str
    happening: str
    receipt: str
    source: str
    form: str
    outcome: str
    notes: list[dict[str, Any]]
    data: dict[str, Any]
    received_at: int
    decoded_at: int
    validated_at: int


@dataclass(frozen=True, slots=True)
class KnownGift:
    """A gift in the ledger, and as of when its recipient is known."""

    gift: Gift
    as_of: int  # µs


@dataclass(frozen=True, slots=True)
class StoredDeadLetter:
    """A dead hook in the ledger."""

    id: int
    receipt: str
    detail: dict[str, Any]
