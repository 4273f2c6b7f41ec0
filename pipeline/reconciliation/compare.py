"""Compares one page with the ledger and records the events that are missing, inside the caller's transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from pipeline.core.hooks import RECONCILE, RecoveredHook, build_valid_hook
from pipeline.ledger.observation import DEAD, MISSED, RECEIVED
from pipeline.ledger.observed_events import load_observed_states, save_observations
from pipeline.reconciliation.already_known import find_in_dead_hooks, find_under_other_identity
from pipeline.reconciliation.classify import IdentifiedEvent, PageRules, classify, identify_events, sends_renewal_orders
from pipeline.reconciliation.evidence import EventEvidence
from pipeline.recording.batch import BatchResult, record_batch
from pipeline.recording.load import find_known_events
from pipeline.recording.snapshot import RecordingStore

API_FORM = "api"  # the `form` of a hook whose body is an object of the API


@dataclass(frozen=True, slots=True)
class PageComparison:
    """The result of one page."""

    recorded: BatchResult | None = None
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (event, state) -> how many
    sends_renewals: bool = False  # whether the store sends `order_new` for the orders of renewals
    error: str | None = None  # why the list could not be compared to its end


def compare_page(
    conn: Connection,
    store: RecordingStore,
    evidence: Iterable[EventEvidence],
    rules: PageRules,
    now: int,
    secret_keys: Sequence[str] = (),
) -> PageComparison:
    """Save what the page shows, and record the events that no hook has reported. The caller has locked the inbox.

    `secret_keys` as in `record_batch`.
    """
    events = identify_events(evidence, rules)
    keys = [event.key for event in events]
    known = find_known_events(conn, [(store.id, key) for key in keys])
    received_at = {key: event.received_at for (_, key), event in known.items()}
    classified = classify(events, rules, load_observed_states(conn, store.id, keys), received_at)
    elsewhere = find_under_other_identity(conn, store.id, classified.missing)
    missing = [event for event in classified.missing if event.key not in elsewhere]
    dead = find_in_dead_hooks(conn, store.id, missing)
    settled = [event.to_observed(RECEIVED) for event in classified.missing if event.key in elsewhere]
    settled += [event.to_observed(DEAD if event.key in dead else MISSED) for event in missing]
    save_observations(conn, store.id, [*classified.observed, *settled], now)
    counts: dict[tuple[str, str], int] = {}
    for row in (*classified.observed, *settled):
        counts[row.event, row.state] = counts.get((row.event, row.state), 0) + 1
    recorded = _record(conn, store, missing, rules, now, secret_keys) if missing else None
    return PageComparison(recorded, counts, rules.sends_renewals or sends_renewal_orders(events, received_at))


def _record(
    conn: Connection,
    store: RecordingStore,
    missing: list[IdentifiedEvent],
    rules: PageRules,
    now: int,
    secret_keys: Sequence[str],
) -> BatchResult:
    hooks = [_build_hook(store, event, rules.asked_at, now) for event in missing]
    raws = {
        hook["entry_id"]: (json.dumps(event.evidence.data, ensure_ascii=False).encode(), None)
        for hook, event in zip(hooks, missing, strict=True)
    }
    return record_batch(conn, hooks, [], raws, token=None, now=now, secret_keys=secret_keys)


def _build_hook(store: RecordingStore, event: IdentifiedEvent, asked_at: int, now: int) -> RecoveredHook:
    """The hook that never arrived, as the chain hands it on after validation. Its receipt follows from its event."""
    name = hashlib.sha256(f"{RECONCILE}|{store.name}|{event.key}".encode()).hexdigest()
    envelope = store.build_envelope(
        event.evidence.event, received_at=asked_at, source=RECONCILE, receipt=name[:32], entry_id=name
    )
    data = event.evidence.data
    hook = build_valid_hook(envelope, data, form=API_FORM, fingerprint=name, decoded_at=now, validated_at=now)
    return RecoveredHook(**hook, as_of=event.as_of)
