"""Runs the links one after another in one task, under one chain lease: a batch stays in its process.

While hooks wait, the task goes on with the next batch, for a few seconds. Only one task at a time holds the lease of a
partition, so nothing would be gained by handing a link to another; but a link that begins late is left to a task of its
own, so that the limits of time are those of one link.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import structlog

from pipeline.context import Context
from pipeline.core.hooks import Batch, RawBody
from pipeline.inbox import fair_queue, poison, stream
from pipeline.inbox.chain_lease import ChainLease
from pipeline.inbox.entry import InboxEntry
from pipeline.ledger.revocations import RevocationCache
from pipeline.processing.broken_release import is_stopped, select_hooks_to_keep
from pipeline.processing.cpu_budget import MAX_STORE_CPU_S, SHORT_TURN_CPU_S, CpuBudget, CpuLimit, no_cpu_limit
from pipeline.processing.decode import decode_batch
from pipeline.processing.failures import POISON, exclude_hooks, quarantine
from pipeline.processing.metrics import count_batch
from pipeline.processing.record import record_dead_letters, record_valid_hooks
from pipeline.processing.validate import validate_batch
from pipeline.recording.batch import BatchResult
from pipeline.recording.shipment_hints import ShipmentHint

log = structlog.get_logger(__name__)

DECODE, VALIDATE, RECORD = "hooks.decode", "hooks.validate", "hooks.fan_out"  # the links, by the names of their tasks
MAX_BATCH_BYTES = 4_000_000  # of raw bodies in a batch: it may travel through the broker
READING_S = 3.0  # for how long a task goes on with the next batch; the only process of a worker has other tasks to do
MAX_START_S = 15.0  # after which a task begins no further link: the limits of time are meant for one


@dataclass(frozen=True, slots=True)
class ChainDeps:
    """What a run needs besides the lease."""

    context: Context
    revocations: RevocationCache
    cpu_limit: CpuLimit = no_cpu_limit
    around_link: Callable[[str], AbstractContextManager[None]] = lambda _link: nullcontext()  # by the link's name
    clock: Callable[[], float] = time.monotonic  # s


@dataclass(frozen=True, slots=True)
class RecordedBatch:
    """What follows from a batch. `waiting`: hooks in its partition; `goes_on`: this run reads them next."""

    connections: list[int]  # that have something to deliver
    stores_to_ask: set[int]  # whose API may know what the hooks lack
    shipment_hints: list[ShipmentHint]
    waiting: int
    goes_on: bool


@dataclass(frozen=True, slots=True)
class PassedOn:
    """A link that was left to a task of its own, and the batch for it."""

    link: str
    batch: Batch


class ChainRun:
    """The links of one task. Afterwards the lease is released, or parked for the task that `passed_on` names."""

    def __init__(self, deps: ChainDeps, lease: ChainLease) -> None:
        self.passed_on: PassedOn | None = None
        self._deps = deps
        self._lease = lease
        self._context = deps.context
        self._started_at = deps.clock()
        self._share_s = MAX_STORE_CPU_S

    def run(self, link: str = DECODE, batch: Batch | None = None) -> Iterator[RecordedBatch]:
        """Run the links from this one on, and then those of further batches. Yields each batch that was recorded.

        Raises StaleFence if another chain has acquired the lease, and the errors of Redis and of the database.
        """
        raws = _load_raws(self._context, batch, self._lease.partition) if batch else {}
        while True:
            if link == DECODE:
                with self._deps.around_link(DECODE):
                    batch, raws = self._decode()
                if batch is None or self._is_left_to_another(VALIDATE, batch):
                    return
            if batch is None:
                raise ValueError(f"{link} needs a batch")
            if link != RECORD:
                with self._deps.around_link(VALIDATE):
                    batch = self._validate(batch, raws)
                if self._is_left_to_another(RECORD, batch):
                    return
            with self._deps.around_link(RECORD):
                recorded = self._record(batch, raws)
            yield recorded
            if not recorded.goes_on:
                return
            batch, link = None, DECODE

    def _is_left_to_another(self, link: str, batch: Batch) -> bool:
        """Leave this link to a task of its own if it would begin too late in this one; else keep the lease for it."""
        if self._deps.clock() - self._started_at < MAX_START_S:
            self._lease.renew()
            return False
        self._lease.park()
        self.passed_on = PassedOn(link, batch)
        return True

    def _decode(self) -> tuple[Batch | None, dict[str, RawBody]]:
        """Read a batch from the inbox and decode its bodies."""
        context, lease = self._context, self._lease
        if is_stopped(context):
            return None, {}
        lease.renew()
        turn = fair_queue.read_turn(
            context.redis, context.settings.batch, MAX_BATCH_BYTES, lease.partition, lease.token
        )
        self._share_s = SHORT_TURN_CPU_S if turn.is_short else MAX_STORE_CPU_S
        ready, poisonous = poison.split_poison(context.redis, turn.entries, lease.token, lease.partition)
        if not ready and not poisonous:
            return None, {}
        self._deps.revocations.refresh_if_due()
        cpu_budget = CpuBudget(self._deps.cpu_limit, self._share_s)
        batch = decode_batch(ready, lease.token, context.now, self._is_revoked, cpu_budget)
        batch["partition"] = lease.partition
        self._isolate_costly_stores(cpu_budget)
        raws = {entry.entry_id: (entry.raw, entry.query) for entry in (*ready, *poisonous)}
        return quarantine(batch, poisonous), raws

    def _validate(self, batch: Batch, raws: Mapping[str, RawBody]) -> Batch:
        """Validate the bodies with the schemas of their events."""
        self._lease.bodies = _exclude_poison(batch, raws)
        cpu_budget = CpuBudget(self._deps.cpu_limit, self._share_s)
        checked = validate_batch(batch, self._context.now, cpu_budget)
        self._isolate_costly_stores(cpu_budget)
        return checked

    def _record(self, batch: Batch, raws: Mapping[str, RawBody]) -> RecordedBatch:
        """Record the batch in the ledger and remove it from the inbox."""
        context, lease = self._context, self._lease
        harmless = _exclude_poison(batch, raws)
        lease.bodies, lease.failures = harmless, BaseException  # a time limit strikes the database, not a body
        secret_keys = context.settings.secret_keys
        results, failures = record_valid_hooks(
            context.engine, batch, raws, context.now, CpuBudget(self._deps.cpu_limit), secret_keys
        )
        succeeded = sum(result.events + result.duplicates for result in results)
        kept_in_inbox = select_hooks_to_keep(context, failures, succeeded)
        if dead := [hook for hook in failures if hook not in kept_in_inbox]:
            results.append(
                record_dead_letters(
                    context.engine, dead, raws, batch["token"], context.now, secret_keys, lease.partition
                )
            )
        recorded = exclude_hooks(batch, kept_in_inbox)
        count_batch(recorded, results, context.now())
        waiting = lease.finish(
            _get_entry_ids(recorded), harmless, any_recorded=succeeded > 0, may_go_on=self._has_time_to_read()
        )
        _log_results(batch, results)
        return RecordedBatch(
            connections=sorted({connection for result in results for connection in result.connections}),
            stores_to_ask={store_id for result in results for store_id in result.stores_to_ask},
            shipment_hints=[hint for result in results for hint in result.shipment_hints],
            waiting=waiting,
            goes_on=not lease.is_passed_on,
        )

    def _has_time_to_read(self) -> bool:
        """Return whether to read the next batch: only if another process of this worker delivers meanwhile."""
        return self._context.settings.workers > 1 and self._deps.clock() - self._started_at < READING_S

    def _is_revoked(self, entry: InboxEntry) -> bool:
        return self._deps.revocations.is_revoked(entry.store, entry.version, entry.received_at)

    def _isolate_costly_stores(self, cpu_budget: CpuBudget) -> None:
        """Read stores that have used up their share separately for a while. Their deferred hooks stay in the inbox."""
        stores, deferred = cpu_budget.exhausted_stores, cpu_budget.deferred
        if stores:
            fair_queue.isolate_stores(self._context.redis, stores, deferred, self._lease.partition)
            log.info("stores are read separately", deferred={store: len(deferred.get(store, ())) for store in stores})


def load_harmless_raws(context: Context, batch: Batch, partition: int = 0) -> list[RawBody]:
    """Return the raw bodies of a batch from another task, except poison."""
    return _exclude_poison(batch, _load_raws(context, batch, partition))


def _load_raws(context: Context, batch: Batch, partition: int) -> dict[str, RawBody]:
    return stream.get_raw_bodies(context.redis, _get_entry_ids(batch), partition)


def _exclude_poison(batch: Batch, raws: Mapping[str, RawBody]) -> list[RawBody]:
    """Return the bodies of the batch that have killed no worker, whatever else went wrong."""
    harmless = [*batch["hooks"], *(hook for hook in batch["failed"] if hook["reason"] != POISON)]
    return [raws[hook["entry_id"]] for hook in harmless if hook["entry_id"] in raws]


def _get_entry_ids(batch: Batch) -> list[str]:
    return [hook["entry_id"] for hook in (*batch["hooks"], *batch["failed"])]


def _log_results(batch: Batch, results: Sequence[BatchResult]) -> None:
    """Log the result of every receipt: its event, the event it repeats, or the reason it is dead."""
    events = {receipt: event for result in results for receipt, event in result.ids.items()}
    repeats = {receipt: event for result in results for receipt, event in result.repeats.items()}
    dead = {receipt: reason for result in results for receipt, reason in result.dead_reasons.items()}
    if events or repeats or dead:
        log.info("batch recorded", batch=batch["token"], events=events, repeats=repeats, dead=dead)
