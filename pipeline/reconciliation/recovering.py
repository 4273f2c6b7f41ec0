"""Compares one page with the ledger and records what is missing, all inside the caller's transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from pipeline.ledger.shown import DEAD, MISSED, TOLD, note_shown, states_of
from pipeline.model import RECONCILE, RecoveredHook
from pipeline.reconciliation.judging import Item, Rules, items_of, judge, tells_of_renewals
from pipeline.reconciliation.otherwise import named_by_the_dead, told_otherwise
from pipeline.reconciliation.showing import Shown
from pipeline.record.batch import Recorded, record_batch
from pipeline.record.known import StoreRow, told_already

API = "api"  # its form: the body is the API's object


@dataclass(frozen=True, slots=True)
class Compared:
    """What one page brought."""

    recorded: Recorded | None = None
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (event, state) -> how many
    renewals: bool = False
    trouble: str | None = None  # why the list could not be compared to its end


def compare_page(db: Connection, store: StoreRow, shown: Iterable[Shown], rules: Rules, now: int) -> Compared:
    """Remember what the page shows, and record what no hook has told. Nobody else may record meanwhile."""
    items = items_of(shown, rules)
    keys = [item.key for item in items]
    known = told_already(db, [(store.id, key) for key in keys])
    told = {key: one.received_at for (_, key), one in known.items()}
    judged = judge(items, rules, states_of(db, store.id, keys), told)
    elsewhere = told_otherwise(db, store.id, judged.missing)
    missing = [item for item in judged.missing if item.key not in elsewhere]
    dead = named_by_the_dead(db, store.id, missing)
    settled = [item.sighting(TOLD) for item in judged.missing if item.key in elsewhere]
    settled += [item.sighting(DEAD if item.key in dead else MISSED) for item in missing]
    note_shown(db, store.id, [*judged.sightings, *settled], now)
    counts: dict[tuple[str, str], int] = {}
    for one in (*judged.sightings, *settled):
        counts[one.event, one.state] = counts.get((one.event, one.state), 0) + 1
    recorded = _record(db, store, missing, rules, now) if missing else None
    return Compared(recorded, counts, rules.renewals or tells_of_renewals(items, told))


def _record(db: Connection, store: StoreRow, missing: list[Item], rules: Rules, now: int) -> Recorded:
    hooks = [_hook(store, item, rules.asked_at, now) for item in missing]
    raws = {
        hook["entry_id"]: (json.dumps(item.shown.data, ensure_ascii=False).encode(), None)
        for hook, item in zip(hooks, missing, strict=True)
    }
    return record_batch(db, hooks, [], raws, token=None, now=now)


def _hook(store: StoreRow, item: Item, asked_at: int, now: int) -> RecoveredHook:
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
        form=API,
        fingerprint=name,
        decoded_at=now,
        validated_at=now,
        data=item.shown.data,
        unknown=[],
        as_of=item.as_of,
    )
