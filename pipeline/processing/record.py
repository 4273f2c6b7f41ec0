"""Third link: loaded hooks -> the ledger. A hook it refuses is taken out alone; a ledger in trouble refuses none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Engine

from pipeline.core.errors import BadHook, CratewireError
from pipeline.core.hooks import INTERNAL, Batch, FailedHook, ValidHook, get_envelope
from pipeline.ledger.engine import writing
from pipeline.processing.cpu_budget import CpuBudget
from pipeline.processing.errors import is_hook_fault
from pipeline.processing.failures import build_failed_hook as failed_hook
from pipeline.processing.failures import wrap_internal_error
from pipeline.recording.batch import BatchResult, record_batch
from pipeline.recording.dead_letters import RawBody

log = structlog.get_logger(__name__)


def record(engine: Engine, batch: Batch, raws: Mapping[str, RawBody], now: Callable[[], int]) -> list[BatchResult]:
    """Record a batch in one transaction; if one of its hooks cannot be recorded, in as few as single it out.

    Raises StaleFence if the inbox has a newer holder, and what the database driver raises when the ledger is in
    trouble.
    """
    recorded, ours = record_valid_hooks(engine, batch, raws, now)
    return [*recorded, record_dead_letters(engine, ours, raws, batch["token"], now)] if ours else recorded


def record_valid_hooks(
    engine: Engine,
    batch: Batch,
    raws: Mapping[str, RawBody],
    now: Callable[[], int],
    cpu_budget: CpuBudget | None = None,
) -> tuple[list[BatchResult], list[FailedHook]]:
    """The same, without those that an error of our own keeps from going on: they are returned, and not recorded."""
    failed = [one for one in batch["failed"] if one["reason"] != INTERNAL]
    recording = _BatchRecorder(engine, raws, batch["token"], now, cpu_budget or CpuBudget())
    recording.internal_failures += [one for one in batch["failed"] if one["reason"] == INTERNAL]
    return recording.of(batch["hooks"], failed), recording.internal_failures


def record_dead_letters(
    engine: Engine, failed: Sequence[FailedHook], raws: Mapping[str, RawBody], token: int, now: Callable[[], int]
) -> BatchResult:
    """Keep hooks that cannot go on among the dead."""
    with writing(engine) as db:
        return record_batch(db, [], failed, raws, token=token, now=now())


class _HookOverBudget(CratewireError):
    """A hook whose plan used up its processor time."""

    def __init__(self, hook: ValidHook, why: BadHook) -> None:
        super().__init__(why.reason)
        self.hook = hook
        self.why = why


@dataclass(slots=True)
class _BatchRecorder:
    """One batch on its way into the ledger. `ours` grows by each hook that is singled out."""

    engine: Engine
    raws: Mapping[str, RawBody]
    token: int
    now: Callable[[], int]
    costs: CpuBudget
    internal_failures: list[FailedHook] = field(default_factory=list)

    def of(self, hooks: Sequence[ValidHook], failed: Sequence[FailedHook]) -> list[BatchResult]:
        try:
            with writing(self.engine) as db:
                now, watched = self.now(), self.watched
                return [record_batch(db, hooks, failed, self.raws, token=self.token, now=now, around_hook=watched)]
        except _HookOverBudget as error:  # nothing was written
            rest = [hook for hook in hooks if hook is not error.hook]
            return self.of(rest, [*failed, failed_hook(get_envelope(error.hook), "fan_out", error.why)])
        except CratewireError:
            raise
        except Exception as error:
            if not is_hook_fault(error) or not hooks:
                raise
            log.warning("a batch could not be recorded", hooks=len(hooks), error=type(error).__name__)
            if len(hooks) == 1:
                self.internal_failures.append(
                    failed_hook(get_envelope(hooks[0]), "fan_out", wrap_internal_error(error))
                )
                return self.of([], failed) if failed else []
            middle = len(hooks) // 2
            return [*self.of(hooks[:middle], failed), *self.of(hooks[middle:], [])]

    @contextmanager
    def watched(self, hook: ValidHook) -> Iterator[None]:
        try:
            with self.costs.of(hook["store"]):
                yield
        except BadHook as error:
            raise _HookOverBudget(hook, error) from None
