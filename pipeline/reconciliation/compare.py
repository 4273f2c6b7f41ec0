"""Compares one page with the ledger and records what is missing, all inside the caller's transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from pipeline.core.hooks import RECONCILE, RecoveredHook
from pipeline.ledger.observed_events import DEAD, MISSED, RECEIVED, load_observed_states, save_observations
from pipeline.reconciliation.classify import IdentifiedEvent, PageRules, classify, identify_events, sends_renewal_orders
from pipeline.reconciliation.evidence import EventEvidence
from pipeline.reconciliation.known_elsewhere import find_in_dead_hooks, find_under_other_identity
from pipeline.recording.batch import BatchResult, record_batch
from pipeline.recording.load import find_known_events
from pipeline.recording.snapshot import RecordingStore

API_FORM = "api"  # its form: the body is the API's object


@dataclass(frozen=True, slots=True)
class PageComparison:
    """What one page brought."""

    recorded: BatchResult | None = None
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (event, state) -> how many
    renewals: bool = False
    trouble: str | None = None  # why the list could not be compared to its end


def compare_page(
    db: Connection, store: RecordingStore, evidence: Iterable[EventEvidence], rules: PageRules, now: int
) -> PageComparison:
    """Remember what the page shows, and record what no hook has told. Nobody else may record meanwhile."""
    items = identify_events(evidence, rules)
    keys = [item.key for item in items]
    known = find_known_events(db, [(store.id, key) for key in keys])
    told = {key: one.received_at for (_, key), one in known.items()}
    judged = classify(items, rules, load_observed_states(db, store.id, keys), told)
    elsewhere = find_under_other_identity(db, store.id, judged.missing)
    missing = [item for item in judged.missing if item.key not in elsewhere]
    dead = find_in_dead_hooks(db, store.id, missing)
    settled = [item.to_observed(RECEIVED) for item in judged.missing if item.key in elsewhere]
    settled += [item.to_observed(DEAD if item.key in dead else MISSED) for item in missing]
    save_observations(db, store.id, [*judged.observed, *settled], now)
    counts: dict[tuple[str, str], int] = {}
    for one in (*judged.observed, *settled):
        counts[one.event, one.state] = counts.get((one.event, one.state), 0) + 1
    recorded = _record(db, store, missing, rules, now) if missing else None
    return PageComparison(recorded, counts, rules.renewals or sends_renewal_orders(items, told))


def _record(
    db: Connection, store: RecordingStore, missing: list[IdentifiedEvent], rules: PageRules, now: int
) -> BatchResult:
    hooks = [_build_hook(store, item, rules.asked_at, now) for item in missing]
    raws = {
        hook["entry_id"]: (json.dumps(item.shown.data, ensure_ascii=False).encode(), None)
        for hook, item in zip(hooks, missing, strict=True)
    }
    return record_batch(db, hooks, [], raws, token=None, now=now)


def _build_hook(store: RecordingStore, item: IdentifiedEvent, asked_at: int, now: int) -> RecoveredHook:
    """The hook that never came, as the chain would have handed it on. Its receipt is made of what it tells."""
    name = hashlib.sha256(f"{RECONCILE}|{store.name}|{item.key}".encode()).hexdigest()
    return RecoveredHook(
        entry_id=name,
        receipt=name[:32],
        store=store.name,
        version=store.token_version,
        event=item.shown.event,
        received_at=asked_at,
        source=RECONCILE,
        form=API_FORM,
        fingerprint=name,
        decoded_at=now,
        validated_at=now,
        data=item.shown.data,
        unknown=[],
        as_of=item.as_of,
    )
