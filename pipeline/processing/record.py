"""Third link: valid hooks -> the ledger. A hook that cannot be recorded is taken out; if the ledger fails, none is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Engine

from pipeline.core.errors import BadHook, CratewireError
from pipeline.core.hooks import INTERNAL_ERROR, Batch, FailedHook, RawBody, ValidHook, build_failed_hook
from pipeline.ledger.engine import writing
from pipeline.processing.cpu_budget import CpuBudget
from pipeline.processing.failures import fail_hook, is_hook_fault
from pipeline.recording.batch import BatchResult, record_batch

log = structlog.get_logger(__name__)


def record(
    engine: Engine,
    batch: Batch,
    raws: Mapping[str, RawBody],
    now: Callable[[], int],
    secret_keys: Sequence[str] = (),
) -> list[BatchResult]:
    """Record a batch in one transaction, or in as many as it takes to single out the hooks that cannot be recorded.

    Raises StaleFence if another process has acquired the chain lease, and the driver's errors if the database fails.
    """
    results, internal_failures = record_valid_hooks(engine, batch, raws, now, secret_keys=secret_keys)
    if internal_failures:
        partition = batch.get("partition", 0)
        results.append(
            record_dead_letters(engine, internal_failures, raws, batch["token"], now, secret_keys, partition)
        )
    return results


def record_valid_hooks(
    engine: Engine,
    batch: Batch,
    raws: Mapping[str, RawBody],
    now: Callable[[], int],
    cpu_budget: CpuBudget | None = None,
    secret_keys: Sequence[str] = (),
) -> tuple[list[BatchResult], list[FailedHook]]:
    """Record a batch as `record` does, except the hooks that fail with an internal error: return them unrecorded.

    `secret_keys` as in `record_batch`.
    """
    internal = [hook for hook in batch["failed"] if hook["reason"] == INTERNAL_ERROR]
    failed = [hook for hook in batch["failed"] if hook["reason"] != INTERNAL_ERROR]
    recorder = _BatchRecorder(
        engine,
        raws,
        batch["token"],
        now,
        cpu_budget or CpuBudget(),
        internal,
        secret_keys,
        batch.get("partition", 0),
    )
    return recorder.record(batch["hooks"], failed), recorder.internal_failures


def record_dead_letters(  # noqa: PLR0913, PLR0917 what is recorded, and the fence
    engine: Engine,
    failed: Sequence[FailedHook],
    raws: Mapping[str, RawBody],
    token: int,
    now: Callable[[], int],
    secret_keys: Sequence[str] = (),
    partition: int = 0,
) -> BatchResult:
    """Record failed hooks as dead hooks. `token` is that of the partition's chain lease."""
    with writing(engine) as conn:
        return record_batch(
            conn, [], failed, raws, token=token, partition=partition, now=now(), secret_keys=secret_keys
        )


class _HookOverBudget(CratewireError):
    """A hook whose plan exceeded its CPU budget."""

    def __init__(self, hook: ValidHook, cause: BadHook) -> None:
        super().__init__(cause.reason)
        self.hook = hook
        self.cause = cause


@dataclass(slots=True)
class _BatchRecorder:
    """Records one batch. `internal_failures` grows by each hook that is singled out."""

    engine: Engine
    raws: Mapping[str, RawBody]
    token: int
    now: Callable[[], int]
    cpu_budget: CpuBudget
    internal_failures: list[FailedHook] = field(default_factory=list)
    secret_keys: Sequence[str] = field(default=(), repr=False)
    partition: int = 0

    def record(self, hooks: Sequence[ValidHook], failed: Sequence[FailedHook]) -> list[BatchResult]:
        try:
            return [self._write(hooks, failed)]
        except _HookOverBudget as error:  # nothing was written
            rest = [hook for hook in hooks if hook is not error.hook]
            return self.record(rest, [*failed, build_failed_hook(error.hook, "fan_out", error.cause)])
        except CratewireError:
            raise
        except Exception as error:
            if not hooks or not is_hook_fault(error):
                raise
            if len(hooks) == 1:
                self.internal_failures.append(fail_hook(hooks[0], "fan_out", error))
                return self.record([], failed) if failed else []
            log.warning("a batch could not be recorded", hooks=len(hooks), error=type(error).__name__)
            middle = len(hooks) // 2
            return [*self.record(hooks[:middle], failed), *self.record(hooks[middle:], [])]

    def _write(self, hooks: Sequence[ValidHook], failed: Sequence[FailedHook]) -> BatchResult:
        with writing(self.engine) as conn:
            now = self.now()
            return record_batch(
                conn,
                hooks,
                failed,
                self.raws,
                token=self.token,
                partition=self.partition,
                now=now,
                around_hook=self._charge_hook,
                secret_keys=self.secret_keys,
            )

    @contextmanager
    def _charge_hook(self, hook: ValidHook) -> Iterator[None]:
        try:
            with self.cpu_budget.charge(hook["store"]):
                yield
        except BadHook as error:
            raise _HookOverBudget(hook, error) from None
