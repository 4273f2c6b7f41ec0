"""A hook as it travels through the chain: one envelope, to which each link adds its payload.

The links exchange these as JSON through the broker, and workers of two releases may run side by side during an upgrade.
So the keys are part of the contract between releases: none may be renamed or removed. Times are µs since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict, cast

from pipeline.core.errors import BadHook

# Sources of hooks, beside "hook"
RECONCILE = "reconcile"  # built from the store's API, because the store never sent the hook
HEARTBEAT = "heartbeat"  # sent by ourselves, to see that the chain works
TEST = "test"  # a test event of our own, which no shop has sent
REPLAY = "replay"  # a dead hook that is tried again

CANARY = "canary"  # the event of hooks that we send to our own public URL, to see that it is reachable
INTERNAL_ERROR = "internal_error"  # the reason of hooks that failed because of an error in our own code
# Why a hook became no event, in words: docs/operations.md has each reason in full.
UNREADABLE_TEXTS: Mapping[str, str] = {
    "empty": "empty",
    "too_large": "too large",
    "wrong_encoding": "not in UTF-8",
    "bad_utf8": "not text",
    "not_json": "cut short or not JSON",
    "too_many_layers": "wrapped too often",
    "too_deep": "nested too deeply",
    "not_a_number": "a number that is none",
    "too_many_values": "too many values",
    "number_too_long": "a number that is too long",
    "duplicate_key": "one name with two values",
    "not_an_object": "not an object",
    "too_costly": "took too long to read",
    "poison": "ended its reader three times",
    "invalid": "a field that cannot be read",
    "unknown_store": "an unknown store",
    "token_revoked": "sent to an old address",
    INTERNAL_ERROR: "a fault of Cratewire",
}

Role = Literal["customer", "gift_recipient"]
RawBody = tuple[bytes, str | None]  # what was received: the body, and the query string of a GET hook
EventOutcome = Literal[
    "forwarded", "recorded", "test", "unknown_event", "nobody", "withheld", "no_connection", "suppressed"
]


class HookEnvelope(TypedDict):
    """What every link carries of a hook: all that the receiver stored in the inbox, except the raw body."""

    entry_id: str  # the stream's id, "<ms>-<n>"
    receipt: str  # the id that the sender was answered with
    store: str  # store name, as in the hook URL
    version: int  # version of the token in the URL, checked when the hook is recorded
    event: str  # event name, as in the hook URL
    received_at: int
    source: str  # "hook", "replay", "reconcile" or "heartbeat"


_ENVELOPE_KEYS = tuple(HookEnvelope.__annotations__)


class _ReadHook(HookEnvelope):
    """What is known of every hook whose body could be read."""

    form: str  # how the body was encoded: "A", "B", "C", "D", "query" or "form"
    fingerprint: str  # sha-256 of the canonical body, the same for every form
    decoded_at: int


class DecodedHook(_ReadHook):
    """The output of the decode link: a hook with its body."""

    body: dict[str, Any]


class ValidHook(_ReadHook):
    """The output of the validate link: a hook with the data that its event's schema made of the body."""

    validated_at: int
    data: dict[str, Any]
    unknown: list[str]  # paths of the keys that no schema names
    aside: NotRequired[dict[str, str]]  # path of an unreadable field -> why; `data` holds all other fields


class RecoveredHook(ValidHook):
    """A hook that the store never sent, built from its API. Its facts may be much older than the moment it was read."""

    as_of: int


class FailedHook(HookEnvelope):
    """A hook that was taken out of its batch. It becomes a dead hook with its raw body."""

    stage: str  # "decode", "validate" or "fan_out"
    reason: str
    detail: dict[str, Any]


class Batch(TypedDict):
    """What one link of the chain hands to the next."""

    token: int  # the fencing token of the chain lease
    hooks: list[Any]  # InboxEntry, DecodedHook or ValidHook, depending on the link
    failed: list[FailedHook]
    partition: NotRequired[int]  # of the inbox; absent: 0
    more: NotRequired[bool]  # the inbox probably holds more; written by older releases


def get_envelope(hook: HookEnvelope) -> HookEnvelope:
    """Return the hook's envelope, without what the links have added."""
    values = cast("Mapping[str, Any]", hook)
    return cast("HookEnvelope", {key: values[key] for key in _ENVELOPE_KEYS})


def build_valid_hook(
    hook: HookEnvelope, data: dict[str, Any], *, form: str, fingerprint: str, decoded_at: int, validated_at: int
) -> ValidHook:
    """Return the hook with the data of its body, or of the store's API; no key of it is unknown or unreadable so far.

    Of an object from the API, `form` and `fingerprint` may be empty.
    """
    return ValidHook(
        **get_envelope(hook),
        form=form,
        fingerprint=fingerprint,
        decoded_at=decoded_at,
        validated_at=validated_at,
        data=data,
        unknown=[],
        aside={},
    )


def build_failed_hook(hook: HookEnvelope, stage: str, error: BadHook) -> FailedHook:
    """Return the hook as failed in this link, for the error's reason."""
    return FailedHook(**get_envelope(hook), stage=stage, reason=error.reason, detail=dict(error.detail))


def get_as_of(hook: ValidHook) -> int:
    """Return the moment (µs) that the hook's facts hold for: when it was received, or a recovered hook's own time."""
    as_of = hook.get("as_of")
    return as_of if isinstance(as_of, int) else hook["received_at"]
