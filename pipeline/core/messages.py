"""What a destination is given to deliver, and what it reports back. The same for every platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

MessageKind = Literal["profile", "event", "forget"]
ForgetMode = Literal["delete", "suppress"]

LIVE_PRIORITY, BACKFILL_PRIORITY = 0, 1  # of deliveries: what a hook reports is sent before what a backfill reads


@dataclass(frozen=True, slots=True)
class PersonRef:
    """The person a message is about, by every identifier that a platform may know."""

    id: int  # of our own row
    customer_id: int | None
    email: str | None  # normalised


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Every identifier under which a platform may know one person: of now and of before.

    `asked_at`: when the person was to be forgotten, in seconds; the same on every try of one request.
    """

    customer_ids: tuple[int, ...] = field(default=(), repr=False)
    emails: tuple[str, ...] = field(default=(), repr=False)  # normalised
    asked_at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Message:
    """One profile or event for one person on one platform, or the request to forget that person.

    profile: `data` holds flat attributes (str, int, float, bool; None clears the attribute), `at` is when we learned
    them.
    event: `name`, `message_id` (a ULID made from the event's identity), `data` is nested JSON, `at` is when it
    happened.
    forget: `data` is {"mode": ForgetMode, "customer_ids": [int, …], "emails": [str, …]}, `at` is when it was asked for.
    """

    delivery_id: int
    person: PersonRef
    kind: MessageKind
    at: int  # seconds since the epoch
    data: dict[str, Any]
    name: str | None = None
    message_id: str | None = None
    has_profile: bool = True  # a profile of this person has been sent over this connection before
    written_at: int = 0  # µs, when it was written to the ledger
    event_id: int | None = None  # the event that it was written for
    cratejoy_name: str | None = None  # of an event to which the connection gives another name


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform accepted the message. `notes` say what had to be changed, such as a value that was truncated."""

    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """The platform will never accept this message; it becomes a dead letter."""

    reason: str
    detail: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """Not now. `seconds` is what the platform asked for, for the whole account; None if it named no time."""

    seconds: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class ConnectionBroken:
    """The credentials or the region are wrong: pause the connection and keep its messages."""

    reason: str


Outcome = Sent | Rejected | RetryAfter | ConnectionBroken


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One HTTP call as the ledger stores it: no body and no URL with an identifier in it."""

    method: str
    endpoint: str  # a path template
    status: int | None  # None: no response
    started_at: int  # µs
    duration_us: int
    items: int
    error: str | None = None
    message_positions: tuple[int, ...] = ()  # positions of the send's messages in this call; empty: all of them


@dataclass(frozen=True, slots=True)
class Reply:
    """The result of a send: one outcome for each message, in their order, and the calls it took."""

    outcomes: tuple[Outcome, ...]
    calls: tuple[CallRecord, ...] = field(default=())
