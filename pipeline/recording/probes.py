"""Takes our own heartbeats and canaries out of a batch: they pass through the chain as hooks do, and are no events.

A heartbeat enters the inbox directly. Its arrival in this transaction proves that the chain works; if none arrives,
hooks do not either. A canary comes through the public address. It carries a nonce that only the ledger and the
canary know; a hook by that name with any other nonce was sent by a stranger and is treated as any unknown event.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pipeline.core.hooks import CANARY, HEARTBEAT, FailedHook, HookEnvelope, RawBody, ValidHook

MAX_CANARY_BYTES = 200  # our canary has about 50; a stranger's may be nested deeper than can be read


@dataclass(frozen=True, slots=True)
class Probes:
    """The probes found in a batch. A canary is ours only if the ledger knows its nonce."""

    heartbeat_sent_at: int | None  # µs, of the newest heartbeat that arrived
    valid: Mapping[str, str]  # entry id -> nonce, of canaries that arrived
    failed: Mapping[str, str]  # the same, of canaries that failed on the way

    @property
    def nonces(self) -> set[str]:
        """Every nonce that was sent, by us or by a stranger."""
        return {*self.valid.values(), *self.failed.values()}

    def get_arrived(self, our_nonces: Collection[str]) -> set[str]:
        """Nonces of our canaries that arrived."""
        return {nonce for nonce in self.valid.values() if nonce in our_nonces}


def find_probes(hooks: Sequence[ValidHook], failed: Sequence[FailedHook], raw_bodies: Mapping[str, RawBody]) -> Probes:
    """Find heartbeats and possible canaries in a batch."""
    heartbeats = [hook["received_at"] for hook in hooks if hook["source"] == HEARTBEAT]
    return Probes(
        max(heartbeats, default=None),
        {hook["entry_id"]: nonce for hook in hooks if (nonce := _read_nonce(hook, hook["data"]))},
        {
            hook["entry_id"]: nonce
            for hook in failed
            if (nonce := _read_nonce(hook, _parse_sent_body(raw_bodies, hook)))
        },
    )


def remove_probes(
    probes: Probes, our_nonces: Collection[str], hooks: Sequence[ValidHook], failed: Sequence[FailedHook]
) -> tuple[list[ValidHook], list[FailedHook]]:
    """The batch without probes. A probe that failed is dropped: that it does not arrive is all it has to report."""
    return (
        [hook for hook in hooks if not _is_probe(hook, probes.valid, our_nonces)],
        [hook for hook in failed if not _is_probe(hook, probes.failed, our_nonces)],
    )


def _is_probe(hook: HookEnvelope, nonces: Mapping[str, str], our_nonces: Collection[str]) -> bool:
    return hook["source"] == HEARTBEAT or nonces.get(hook["entry_id"]) in our_nonces


def _read_nonce(hook: HookEnvelope, body: object) -> str | None:
    if hook["event"] != CANARY or not isinstance(body, dict):
        return None
    nonce = body.get(CANARY)
    # Ours are hexadecimal; a stranger's may hold characters that no database takes.
    return nonce if isinstance(nonce, str) and nonce.isascii() and nonce.isalnum() else None


def _parse_sent_body(raw_bodies: Mapping[str, RawBody], hook: FailedHook) -> object:
    """The body of a failed canary. Ours are plain JSON; None if it is anything else."""
    raw, _ = raw_bodies.get(hook["entry_id"], (b"", None))
    if hook["event"] != CANARY or len(raw) > MAX_CANARY_BYTES:
        return None
    try:
        body: object = json.loads(raw)
    except ValueError:
        return None
    return body
