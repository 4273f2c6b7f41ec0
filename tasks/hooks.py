"""The links of the chain that turns hooks into ledger rows. A lost message loses nothing: the inbox keeps the hooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import structlog

from pipeline.context import Context
from pipeline.core.errors import StaleFence
from pipeline.core.hooks import REPLAY, Batch, FailedHook, RawBody
from pipeline.inbox import fair_queue, poison, stream
from pipeline.inbox.chain_lease import ChainLease, is_chain_lease_free, resume_chain_lease, take_chain_lease
from pipeline.inbox.entry import InboxEntry
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
from tasks.delayed_actions import retry_until_done
from tasks.fulfilment import wake_fulfilment
from tasks.lookups import wake_lookups
from tasks.process import get_process_context, get_revocations
from tasks.worker.cpu_limit import cpu_limit

log = structlog.get_logger(__name__)

MAX_BATCH_BYTES = 4_000_000  # of raw bodies in a batch: it travels through the broker three times


@task("hooks.decode", bind=True)
def decode(self: Any) -> Batch | None:
    """Acquire the chain lease, read a batch from the inbox and decode its bodies."""
    context = get_process_context()
    with take_chain_lease(context.redis, retry_until_done) as lease:
        if lease is None:
            _end_chain(self)
            return None
        batch = _read_batch(context, lease.token)
        if batch is not None:
            lease.park()
            return batch
    _wake_if_waiting(context)
    _end_chain(self)
    return None


@task("hooks.validate", bind=True)
def validate(self: Any, batch: Batch) -> Batch | None:
    """Validate the bodies with the schemas of their events."""
    context = get_process_context()
    try:
        with _resume_lease(context, batch) as lease:
            cpu_budget = _build_cpu_budget()
            checked = validate_batch(batch, context.now, cpu_budget)
            _isolate_costly_stores(context, cpu_budget)
            lease.park()
            return checked
    except StaleFence:
        _end_chain(self)
        return None


@task("hooks.fan_out", bind=True)
def fan_out(self: Any, batch: Batch) -> list[int]:
    """Record the batch in the ledger and remove it from the inbox. Returns the connections to wake."""
    context = get_process_context()
    try:
        with _resume_lease(context, batch, failures=BaseException) as lease:
            connections = _record(context, batch, lease)
    except StaleFence:
        _end_chain(self)
        return []
    _wake_if_waiting(context)
    if not connections:
        _end_chain(self)
    return connections


@task("hooks.sweep")
def sweep() -> None:
    """Wake the chain if hooks wait: a wake-up may have been lost, a worker killed, or the database was away."""
    redis = get_process_context().redis
    if stream.depth(redis) and is_chain_lease_free(redis):
        wake_again()


def _resume_lease(
    context: Context, batch: Batch, failures: type[BaseException] = Exception
) -> AbstractContextManager[ChainLease]:
    """Hold the batch's chain lease. If the block fails, reset the bodies' tries: the worker has survived them."""

    def reset_tries() -> None:
        poison.reset_tries(context.redis, _exclude_poison(batch, _load_raws(context, batch)))

    return resume_chain_lease(context.redis, batch["token"], retry_until_done, reset_tries, failures)


def _wake_if_waiting(context: Context) -> None:
    """Wake the chain for hooks that came while the lease was held: they have not. The sweep wakes a stopped chain."""
    if stream.depth(context.redis) and not get_chain_stop(context.redis):
        wake_once()


def _read_batch(context: Context, token: int) -> Batch | None:
    if get_chain_stop(context.redis) and not _may_resume(context):
        return None
    entries = fair_queue.read(context.redis, context.settings.batch, MAX_BATCH_BYTES)
    ready, poisonous = poison.split_poison(context.redis, entries, token)
    if not ready and not poisonous:
        return None
    revocations = get_revocations()
    revocations.refresh_if_due()
    cpu_budget = _build_cpu_budget()
    batch = decode_batch(ready, token, context.now, partial(_is_revoked, revocations), cpu_budget)
    _isolate_costly_stores(context, cpu_budget)
    return quarantine(batch, poisonous)


def _may_resume(context: Context) -> bool:
    """Dry-run a stopped chain every few seconds, and resume it if most of the waiting hooks succeed."""
    if not claim_dry_run(context.redis, context.now()):
        return False
    succeeded, failed = dry_run(context.redis, context.engine, context.now, secret_keys=context.settings.secret_keys)
    if succeeded and not is_release_broken(succeeded, failed):
        resume_chain(context.redis)
        log.info("the chain resumes", succeeded=succeeded, failed=failed)
        return True
    return False


def _build_cpu_budget() -> CpuBudget:
    return CpuBudget(cpu_limit, MAX_STORE_CPU_S)


def _isolate_costly_stores(context: Context, cpu_budget: CpuBudget) -> None:
    """Read stores that have used up their share separately for a while. Their deferred hooks stay in the inbox."""
    if cpu_budget.exhausted_stores:
        fair_queue.isolate_stores(context.redis, cpu_budget.exhausted_stores, cpu_budget.deferred)
        log.info(
            "stores are read separately",
            deferred={store: len(cpu_budget.deferred.get(store, ())) for store in cpu_budget.exhausted_stores},
        )


def _is_revoked(revocations: RevocationCache, entry: InboxEntry) -> bool:
    return revocations.is_revoked(entry.store, entry.version, entry.received_at)


def _record(context: Context, batch: Batch, lease: ChainLease) -> list[int]:
    raws = _load_raws(context, batch)
    results, failures = record_valid_hooks(
        context.engine, batch, raws, context.now, CpuBudget(cpu_limit), context.settings.secret_keys
    )
    succeeded = sum(result.events + result.duplicates for result in results)
    kept_in_inbox = _select_hooks_to_keep(context, failures, succeeded)
    if dead := [hook for hook in failures if hook not in kept_in_inbox]:
        results.append(
            record_dead_letters(context.engine, dead, raws, batch["token"], context.now, context.settings.secret_keys)
        )
    recorded = exclude_hooks(batch, kept_in_inbox)
    count_batch(recorded, results, context.now())
    lease.finish(_get_entry_ids(recorded), _exclude_poison(batch, raws), any_recorded=succeeded > 0)
    _log_results(batch, results)
    wake_lookups({store_id for result in results for store_id in result.stores_to_ask})
    wake_fulfilment(hint for result in results for hint in result.shipment_hints)
    return sorted({connection for result in results for connection in result.connections})


def _select_hooks_to_keep(context: Context, failures: Sequence[FailedHook], succeeded: int) -> Sequence[FailedHook]:
    """Return the hooks that stay in the inbox because the release is broken. Replayed hooks are dead already."""
    fresh = [hook for hook in failures if hook["source"] != REPLAY]
    return fresh if fresh and _stop_if_release_broken(context, fresh, succeeded) else []


def _stop_if_release_broken(context: Context, failures: Sequence[FailedHook], succeeded: int) -> bool:
    if not exceeds_failure_limit(context.redis, len(failures), succeeded):
        return False
    if not is_release_broken(
        *dry_run(
            context.redis,
            context.engine,
            context.now,
            [hook["receipt"] for hook in failures],
            context.settings.secret_keys,
        )
    ):
        return False
    stop = stop_chain(context.redis, failures, context.now())
    log.error("the chain stops", version=stop.version, link=stop.link, error=stop.error, hooks=stop.hooks)
    return True


def _get_entry_ids(batch: Batch) -> list[str]:
    return [hook["entry_id"] for hook in (*batch["hooks"], *batch["failed"])]


def _load_raws(context: Context, batch: Batch) -> dict[str, RawBody]:
    return stream.get_raw_bodies(context.redis, _get_entry_ids(batch))


def _exclude_poison(batch: Batch, raws: Mapping[str, RawBody]) -> list[RawBody]:
    """Return the bodies of the batch that have killed no worker, whatever else went wrong."""
    harmless = [*batch["hooks"], *(hook for hook in batch["failed"] if hook["reason"] != POISON)]
    return [raws[hook["entry_id"]] for hook in harmless if hook["entry_id"] in raws]


def _log_results(batch: Batch, results: Sequence[BatchResult]) -> None:
    """Log the result of every receipt: its event, the event it repeats, or the reason it is dead."""
    events = {receipt: event for result in results for receipt, event in result.ids.items()}
    repeats = {receipt: event for result in results for receipt, event in result.repeats.items()}
    dead = {receipt: reason for result in results for receipt, reason in result.dead_reasons.items()}
    if events or repeats or dead:
        log.info("batch recorded", batch=batch["token"], events=events, repeats=repeats, dead=dead)


def _end_chain(link: Any) -> None:
    """Publish none of the links after this one."""
    link.request.chain = None
