"""Records one batch of hooks in the ledger, in one transaction: load, plan, write.

Once it has committed, the inbox may forget the batch: an acknowledged hook is never lost. Recording is idempotent: all
of it may run twice for the same hook, and the second time changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from sqlalchemy import Connection

from pipeline.core.hooks import FailedHook, RawBody, ValidHook
from pipeline.ledger.fence import advance_fence
from pipeline.ledger.inbox_fence import get_fence_name
from pipeline.ledger.removals import find_removed_stores
from pipeline.recording import load
from pipeline.recording.affected import load_affected
from pipeline.recording.candidate import AroundHook, admit_hooks
from pipeline.recording.dead_letters import find_revoked_stores
from pipeline.recording.dedup import deduplicate
from pipeline.recording.gifts import GiftIndex, plan_candidates
from pipeline.recording.load_stores import load_stores_by_name
from pipeline.recording.lookups import find_lookups
from pipeline.recording.plan import BatchPlan, LoadedBatch, find_replayed, plan_batch
from pipeline.recording.probes import find_probes, remove_probes
from pipeline.recording.shipment_hints import ShipmentHint, find_shipment_hints
from pipeline.recording.sources import note_sources
from pipeline.recording.suppression import empty_failed_hooks, remove_suppressed_people
from pipeline.recording.write import write_batch


def _no_context(_hook: ValidHook) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch."""

    events: int
    duplicates: int
    dead: int
    deliveries: int
    connections: tuple[int, ...]  # ids of those whose lanes have new deliveries
    outcomes: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (event, outcome) -> count
    dead_by_reason: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (stage, reason) -> count
    ids: Mapping[str, int] = field(default_factory=dict)  # receipt -> id of the event it became
    repeats: Mapping[str, int] = field(default_factory=dict)  # receipt -> id of the event it repeats
    dead_reasons: Mapping[str, str] = field(default_factory=dict)  # receipt -> reason
    stores_to_ask: tuple[int, ...] = ()  # ids of those with new look-ups
    shipment_hints: frozenset[ShipmentHint] = frozenset()  # what stores with a warehouse have to look at


def record_batch(  # noqa: PLR0913 what is recorded, the fence, and the budget
    conn: Connection,
    hooks: Sequence[ValidHook],
    failed: Sequence[FailedHook],
    raw_bodies: Mapping[str, RawBody],
    *,
    token: int | None,
    now: int,
    partition: int = 0,
    around_hook: AroundHook = _no_context,
    secret_keys: Sequence[str] = (),
) -> BatchResult:
    """Record a batch inside the caller's transaction.

    `token` fences the holder of this partition of the inbox; with None the caller ensures that no other process records
    meanwhile.
    `raw_bodies`: what was received, by entry id. `around_hook` is entered for the work on each single hook.
    `secret_keys` open the keys by which suppressed people are recognised.
    Raises StaleFence if the partition has a newer holder, Misconfigured if a store has suppressed people and no key
    opens, and what `around_hook` raises.
    """
    if token is not None:
        advance_fence(conn, get_fence_name(partition), token)
    loaded, raw_bodies = _load_batch(conn, hooks, failed, raw_bodies, around_hook, secret_keys)
    plan = plan_batch(loaded, raw_bodies, now)
    write_batch(conn, plan, now)
    note_sources(conn, loaded.dedup.fresh, now)
    return _summarize(loaded, plan)


def _load_batch(
    conn: Connection,
    hooks: Sequence[ValidHook],
    failed: Sequence[FailedHook],
    raw_bodies: Mapping[str, RawBody],
    around_hook: AroundHook,
    secret_keys: Sequence[str],
) -> tuple[LoadedBatch, Mapping[str, RawBody]]:
    """Read all that the batch needs, and take suppressed people out of it and of the raw bodies.

    What to read next follows from what was read before: hooks of known stores are candidates, fresh candidates lead to
    gifts, and these to people. So a pure step stands before each read.
    """
    probes = find_probes(hooks, failed, raw_bodies)
    our_nonces = load.load_canary_nonces(conn, probes.nonces)
    hooks, failed = remove_probes(probes, our_nonces, hooks, failed)
    names = {hook["store"] for hook in (*hooks, *failed)}
    stores = load_stores_by_name(conn, names)
    removed = find_removed_stores(conn, names - stores.keys())
    hooks = [hook for hook in hooks if hook["store"] not in removed]  # nothing of a removed store is stored again
    failed = [hook for hook in failed if hook["store"] not in removed]
    candidates, refused = admit_hooks(hooks, stores, around_hook)
    died = [*failed, *refused]
    dead_letters = load.load_revoked_dead_letters(conn, find_revoked_stores(died))
    dedup = deduplicate(candidates, load.load_known_events(conn, candidates))
    recognition = remove_suppressed_people(conn, secret_keys, stores.values(), dedup.fresh, died, raw_bodies)
    died, raw_bodies = empty_failed_hooks(died, raw_bodies, recognition.failed)
    gifts = GiftIndex(load.load_gifts(conn, dedup.fresh), dedup.fresh)
    plan_candidates(dedup.fresh, gifts, around_hook)
    wanted = find_lookups(dedup.fresh)
    affected = load_affected(conn, stores.values(), dedup.fresh, gifts)
    loaded = LoadedBatch(
        heartbeat_sent_at=probes.heartbeat_sent_at,
        canaries=probes.get_arrived(our_nonces),
        stores=stores,
        died=died,
        dead_letters=dead_letters,
        candidates=candidates,
        dedup=dedup,
        gifts=gifts,
        late=affected.late,
        people=affected.people,
        recognised=recognition.counts,
        learned_hashes=recognition.learned,
        waiting_dead_hooks=load.load_waiting_dead_hooks(
            conn, [*(hook["receipt"] for hook in died), *find_replayed(candidates)]
        ),
        lookups=wanted,
        known_lookups=load.load_lookups(conn, wanted),
        waiting=affected.waiting,
    )
    return loaded, raw_bodies


def _summarize(loaded: LoadedBatch, plan: BatchPlan) -> BatchResult:
    """What became of the batch, once it is written and its events have ids."""
    dedup, died = loaded.dedup, loaded.died
    ids = {candidate.hook["receipt"]: candidate.event_id for candidate in dedup.fresh}
    return BatchResult(
        events=len(dedup.fresh),
        duplicates=dedup.repeats_by_event.total(),
        dead=plan.dead_letters.total,
        deliveries=len(plan.deliveries),
        shipment_hints=find_shipment_hints(dedup.fresh),
        stores_to_ask=tuple(sorted({row["store_id"] for row in plan.lookups})),
        connections=tuple(sorted({draft.connection_id for draft in plan.deliveries})),
        outcomes=_count_outcomes(loaded, plan),
        dead_by_reason=Counter((hook["stage"], hook["reason"]) for hook in died),
        ids=ids,
        repeats={receipt: event.event_id or ids[event.receipt] for receipt, event in dedup.again.items()},
        dead_reasons={hook["receipt"]: hook["reason"] for hook in died},
    )


def _count_outcomes(loaded: LoadedBatch, plan: BatchPlan) -> Counter[tuple[str, str]]:
    fresh = Counter((event.row["name"], event.row["outcome"]) for event in plan.events)
    repeats = Counter({(name, "duplicate"): count for name, count in loaded.dedup.repeats_by_event.items()})
    return fresh + repeats + Counter((hook["event"], "dead") for hook in loaded.died)
