"""The links that turn hooks into ledger rows. A link's message is a hint; the inbox keeps what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog

from pipeline.context import Context
from pipeline.core.errors import StaleFence
from pipeline.core.hooks import REPLAY, Batch, FailedHook, RawBody
from pipeline.inbox import fair_queue, poison, stream
from pipeline.inbox.chain_lease import (
    acquire_chain_lease,
    is_chain_lease_free,
    park_chain_lease,
    release_chain_lease,
    renew_chain_lease,
)
from pipeline.inbox.entry import InboxEntry
from pipeline.inbox.finish import finish_batch
from pipeline.ledger.revocations import RevocationCache
from pipeline.processing.cpu_budget import MAX_STORE_CPU_S, CpuBudget
from pipeline.processing.decode import decode_batch
from pipeline.processing.dry_run import dry_run
from pipeline.processing.failure_limit import (
    claim_dry_run,
    exceeds_failure_limit,
    get_chain_stop,
    is_release_broken,
    resume_chain,
    stop_chain,
)
from pipeline.processing.failures import POISON, exclude_hooks, quarantine
from pipeline.processing.metrics import count_batch
from pipeline.processing.record import record_dead_letters, record_valid_hooks
from pipeline.processing.validate import validate_batch
from pipeline.recording.batch import BatchResult
from tasks.app import task
from tasks.chain import wake_again, wake_once
from tasks.process import get_process_context, get_revocations
from tasks.retry_in_background import retry_until_done
from tasks.worker.cpu_limit import cpu_limit

log = structlog.get_logger(__name__)

MAX_BATCH_BYTES = 4_000_000  # of raw bodies in one batch: it travels through the broker three times


@task("hooks.decode", bind=True)
def decode(self: Any) -> Batch | None:
    """Take the turn and a batch from the inbox, and read its bodies."""
    here = get_process_context()
    token = acquire_chain_lease(here.redis)
    if token is None:
        _end_chain(self)
        return None
    try:
        batch = _decode(here, token)
        if batch is not None:
            park_chain_lease(here.redis, token)
            return batch
        release_chain_lease(here.redis, token)
    except MemoryError:  # a body that needs all of it is counted like one that kills its reader
        raise
    except Exception:
        retry_until_done(lambda: release_chain_lease(here.redis, token))
        raise
    _wake_if_waiting(here)
    _end_chain(self)
    return None


@task("hooks.validate", bind=True)
def validate(self: Any, batch: Batch) -> Batch | None:
    """Load the bodies with their schemas."""
    here = get_process_context()
    try:
        if not renew_chain_lease(here.redis, batch["token"]):
            _abandon_batch(self, here, batch)
            return None
        costs = _build_costs()
        checked = validate_batch(batch, here.now, costs)
        _isolate_costly_stores(here, costs)
        park_chain_lease(here.redis, batch["token"])
    except MemoryError:  # as above
        raise
    except Exception:
        _release_batch(here, batch)
        raise
    return checked


@task("hooks.fan_out", bind=True)
def fan_out(self: Any, batch: Batch) -> list[int]:
    """Write the batch into the ledger, then let the inbox forget it. Returns the connections to wake."""
    here = get_process_context()
    try:
        if not renew_chain_lease(here.redis, batch["token"]):
            _abandon_batch(self, here, batch)
            return []
        connections = _record(here, batch)
    except StaleFence:
        _abandon_batch(self, here, batch)
        return []
    except MemoryError:  # as above
        raise
    except BaseException:
        _release_batch(here, batch)
        raise
    _wake_if_waiting(here)
    if not connections:
        _end_chain(self)
    return connections


@task("hooks.sweep")
def sweep() -> None:
    """Wake the chain if hooks wait: a kick may have been lost, a worker killed, a ledger away."""
    redis = get_process_context().redis
    if stream.depth(redis) and is_chain_lease_free(redis):
        wake_again()


def _wake_if_waiting(here: Context) -> None:
    """After the turn has ended: a hook that came before wakes nobody. A chain that stands is woken by the sweep."""
    if stream.depth(here.redis) and not get_chain_stop(here.redis):
        wake_once()


def _decode(here: Context, token: int) -> Batch | None:
    if get_chain_stop(here.redis) and not _may_resume(here):
        return None
    entries = fair_queue.read(here.redis, here.settings.batch, MAX_BATCH_BYTES)
    now, too_often = poison.split_poison(here.redis, entries, token)
    if not now and not too_often:
        return None
    revocations = get_revocations()
    revocations.look()
    costs = _build_costs()
    batch = decode_batch(now, token, here.now, partial(_is_revoked, revocations), costs)
    _isolate_costly_stores(here, costs)
    return quarantine(batch, too_often)


def _may_resume(here: Context) -> bool:
    """Try the chain that stands every few seconds, and let it go on if most of what waits would."""
    if not claim_dry_run(here.redis, here.now()):
        return False
    sound, failing = dry_run(here.redis, here.engine, here.now)
    if sound and not is_release_broken(sound, failing):
        resume_chain(here.redis)
        log.info("the chain goes on", sound=sound, failing=failing)
        return True
    return False


def _build_costs() -> CpuBudget:
    return CpuBudget(cpu_limit, MAX_STORE_CPU_S)


def _isolate_costly_stores(here: Context, costs: CpuBudget) -> None:
    """A store that has used up its share is read by itself for a while; what is left of it stays in the inbox."""
    if costs.exhausted_stores:
        fair_queue.isolate_stores(here.redis, costs.exhausted_stores, costs.deferred)
        log.info(
            "stores are read by themselves",
            left={store: len(costs.deferred.get(store, ())) for store in costs.exhausted_stores},
        )


def _is_revoked(revocations: RevocationCache, entry: InboxEntry) -> bool:
    return revocations.is_revoked(entry.store, entry.version, entry.received_at)


def _record(here: Context, batch: Batch) -> list[int]:
    raws = _load_raws(here, batch)
    recorded, ours = record_valid_hooks(here.engine, batch, raws, here.now, CpuBudget(cpu_limit))
    sound = sum(one.events + one.duplicates for one in recorded)
    fresh = [one for one in ours if one["source"] != REPLAY]  # what was dead before costs nothing if it dies again
    held = fresh if fresh and _is_broken_release(here, fresh, sound) else []
    if died := [one for one in ours if one["source"] == REPLAY or not held]:
        recorded.append(record_dead_letters(here.engine, died, raws, batch["token"], here.now))
    kept = exclude_hooks(batch, held)
    count_batch(kept, recorded, here.now())
    finish_batch(here.redis, _get_entry_ids(kept), _exclude_poison(batch, raws), batch["token"], any_recorded=sound > 0)
    _log_results(batch, recorded)
    return sorted({connection for one in recorded for connection in one.connections})


def _is_broken_release(here: Context, ours: list[FailedHook], sound: int) -> bool:
    """Whether these hooks are to stay in the inbox; then the chain stands."""
    if not exceeds_failure_limit(here.redis, len(ours), sound):
        return False
    if not is_release_broken(*dry_run(here.redis, here.engine, here.now, [one["receipt"] for one in ours])):
        return False
    why = stop_chain(here.redis, ours, here.now())
    log.error("the chain stops", version=why.version, link=why.link, error=why.error, hooks=why.hooks)
    return True


def _get_entry_ids(batch: Batch) -> list[str]:
    return [one["entry_id"] for one in (*batch["hooks"], *batch["failed"])]


def _load_raws(here: Context, batch: Batch) -> dict[str, RawBody]:
    return stream.get_raw_bodies(here.redis, _get_entry_ids(batch))


def _exclude_poison(batch: Batch, raws: Mapping[str, RawBody]) -> list[RawBody]:
    """Whatever went wrong, these bodies killed no reader."""
    harmless = [*batch["hooks"], *(one for one in batch["failed"] if one["reason"] != POISON)]
    return [raws[one["entry_id"]] for one in harmless if one["entry_id"] in raws]


def _abandon_batch(link: Any, here: Context, batch: Batch) -> None:
    """Somebody else has had the turn meanwhile, and reads these hooks again."""
    _release_batch(here, batch)
    _end_chain(link)


def _release_batch(here: Context, batch: Batch) -> None:
    """Whatever went wrong, the reader lives: nobody need wait for its turn to run out, nor blame the bodies."""

    def tell() -> None:
        release_chain_lease(here.redis, batch["token"])
        poison.reset_tries(here.redis, _exclude_poison(batch, _load_raws(here, batch)))

    retry_until_done(tell)


def _log_results(batch: Batch, recorded: list[BatchResult]) -> None:
    """What became of every receipt."""
    events = {receipt: event for one in recorded for receipt, event in one.ids.items()}
    repeats = {receipt: event for one in recorded for receipt, event in one.repeats.items()}
    dead = {receipt: reason for one in recorded for receipt, reason in one.dead_reasons.items()}
    if events or repeats or dead:
        log.info("batch recorded", batch=batch["token"], events=events, repeats=repeats, dead=dead)


def _end_chain(link: Any) -> None:
    """Nothing to hand on: the links behind this one are not published."""
    link.request.chain = None
