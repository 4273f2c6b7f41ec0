"""The values that travel along the way of a hook. Plain and JSON-safe between tasks, frozen elsewhere.

Times are microseconds since the epoch (`*_at` ints) inside the pipeline; what a platform sees is seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired, TypedDict

RECONCILE = "reconcile"  # the source of what no hook has told and the store's API has shown
HEARTBEAT = "heartbeat"  # the source of hooks we send ourselves, to see that the chain lives
REPLAY = "replay"  # the source of hooks that were dead and are tried again
INTERNAL = "internal_error"  # the reason of hooks that died of a fault of ours
CANARY = "canary"  # the event of hooks we send to our own public address, to see that the way in works

Role = Literal["customer", "gift_recipient"]
MessageKind = Literal["profile", "event"]
EventOutcome = Literal["forwarded", "recorded", "test", "unknown_event", "nobody", "no_connection"]  # of an event


class HookEnvelope(TypedDict):
    """One hook as the receiver put it into the inbox, without its raw bytes."""

    entry_id: str  # the stream's id, "<ms>-<n>"
    receipt: str  # what the sender was told
    store: str  # store name, as in the hook URL
    version: int  # token version, judged when the hook is recorded
    event: str  # event name, as in the hook URL
    received_at: int  # µs
    source: str  # "hook", "replay", "reconcile" or "heartbeat"


def get_envelope(hook: HookEnvelope) -> HookEnvelope:
    """What every link carries of a hook, without what a link has added to it."""
    return HookEnvelope(
        entry_id=hook["entry_id"],
        receipt=hook["receipt"],
        store=hook["store"],
        version=hook["version"],
        event=hook["event"],
        received_at=hook["received_at"],
        source=hook["source"],
    )


class DecodedHook(HookEnvelope):
    """A hook whose body could be read."""

    form: str  # "A", "B", "C", "D", "query" or "form"
    fingerprint: str  # sha-256 of the canonical body: equal for every wire form
    decoded_at: int
    body: dict[str, Any]


class ValidHook(HookEnvelope):
    """A hook whose body fits its event's schema. `data` is what `schemas` made of the body."""

    form: str
    fingerprint: str
    decoded_at: int
    validated_at: int
    data: dict[str, Any]
    unknown: list[str]  # paths of the keys no schema names
    aside: NotRequired[dict[str, str]]  # path -> why the field could not be read; those in `data` are all others


class RecoveredHook(ValidHook):
    """What no hook has told, in the form of one. What it teaches us holds as of a moment that may be long ago."""

    as_of: int  # µs


def get_as_of(hook: ValidHook) -> int:
    """As of when a hook's news holds: when it came, unless it never did."""
    known = hook.get("as_of")
    return known if isinstance(known, int) else hook["received_at"]


class FailedHook(HookEnvelope):
    """A hook taken out of its batch; becomes a dead hook with its raw bytes."""

    stage: str  # "decode", "validate" or "fan_out"
    reason: str
    detail: dict[str, Any]


class Batch(TypedDict):
    """What one link of the chain hands to the next. `token` fences the holder of the inbox."""

    token: int
    hooks: list[Any]  # Entry, DecodedHook or ValidHook, as the link says
    failed: list[FailedHook]
    more: NotRequired[bool]  # the read was full: there is probably more in the inbox


@dataclass(frozen=True, slots=True)
class PersonRef:
    """Whom a message is about, as platforms can know them."""

    id: int  # our own row
    customer_id: int | None
    email: str | None  # in its normal form


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell one platform about one person; the same for every platform.

    profile: `data` are flat attributes (str, int, float, bool; None means: clear it), `at` when we knew.
    event: `name`, `message_id` (a ULID of what happened), `data` nested JSON, `at` when it happened.
    `introduced`: a profile of this person has been sent over this connection before.
    """

    delivery_id: int
    person: PersonRef
    kind: MessageKind
    at: int  # seconds since the epoch
    data: dict[str, Any]
    name: str | None = None
    message_id: str | None = None
    has_profile: bool = True
    written_at: int = 0  # µs, when it was written into the ledger
    event_id: int | None = None  # what it is told for


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform took it. `notes` say what had to be changed, e.g. a value that was cut."""

    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """The platform will never take this item; it becomes a dead letter."""

    reason: str
    detail: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """Not now. `seconds` is what the platform asked for, of the whole account; None if it named no time."""

    seconds: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class ConnectionBroken:
    """The credentials or the region are wrong: stop the connection, keep its items."""

    reason: str


Outcome = Sent | Rejected | RetryAfter | ConnectionBroken


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One HTTP call, as the ledger keeps it. No body, no address."""

    method: str
    endpoint: str  # a path template, never a path with an identifier in it
    status: int | None  # None: no answer
    started_at: int  # µs
    duration_us: int
    items: int
    error: str | None = None
    message_positions: tuple[int, ...] = ()  # which of the send's messages, by position; empty: all of them


@dataclass(frozen=True, slots=True)
class Reply:
    """What `send` made of its messages: one outcome each, in their order, and the calls it took."""

    outcomes: tuple[Outcome, ...]
    calls: tuple[CallRecord, ...] = field(default=())
