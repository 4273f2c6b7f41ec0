"""Third link: loaded hooks -> the ledger. A hook it refuses is taken out alone; a ledger in trouble refuses none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Engine

from pipeline.chain.blame import may_blame_a_hook
from pipeline.chain.cost import Costs
from pipeline.chain.heads import failed as failed_hook
from pipeline.chain.heads import internal
from pipeline.errors import BadHook, CratewireError
from pipeline.ledger.engine import writing
from pipeline.model import INTERNAL, Batch, FailedHook, ValidHook, head_of
from pipeline.record.batch import Recorded, record_batch
from pipeline.record.dead import Raw

log = structlog.get_logger(__name__)


def record(engine: Engine, batch: Batch, raws: Mapping[str, Raw], now: Callable[[], int]) -> list[Recorded]:
    """Record a batch in one transaction; if one of its hooks cannot be recorded, in as few as single it out.

    Raises StaleFence if the inbox has a newer holder, and what the database driver raises when the ledger is in
    trouble.
    """
    recorded, ours = record_sound(engine, batch, raws, now)
    return [*recorded, record_dead(engine, ours, raws, batch["token"], now)] if ours else recorded


def record_sound(
    engine: Engine, batch: Batch, raws: Mapping[str, Raw], now: Callable[[], int], costs: Costs | None = None
) -> tuple[list[Recorded], list[FailedHook]]:
    """The same, without those that an error of our own keeps from going on: they are returned, and not recorded."""
    failed = [one for one in batch["failed"] if one["reason"] != INTERNAL]
    recording = _Recording(engine, raws, batch["token"], now, costs or Costs())
    recording.ours += [one for one in batch["failed"] if one["reason"] == INTERNAL]
    return recording.of(batch["hooks"], failed), recording.ours


def record_dead(
    engine: Engine, failed: Sequence[FailedHook], raws: Mapping[str, Raw], token: int, now: Callable[[], int]
) -> Recorded:
    """Keep hooks that cannot go on among the dead."""
    with writing(engine) as db:
        return record_batch(db, [], failed, raws, token=token, now=now())


class _Costly(CratewireError):
    """A hook whose plan used up its processor time."""

    def __init__(self, hook: ValidHook, why: BadHook) -> None:
        super().__init__(why.reason)
        self.hook = hook
        self.why = why


@dataclass(slots=True)
class _Recording:
    """One batch on its way into the ledger. `ours` grows by each hook that is singled out."""

    engine: Engine
    raws: Mapping[str, Raw]
    token: int
    now: Callable[[], int]
    costs: Costs
    ours: list[FailedHook] = field(default_factory=list)

    def of(self, hooks: Sequence[ValidHook], failed: Sequence[FailedHook]) -> list[Recorded]:
        try:
            with writing(self.engine) as db:
                now, watched = self.now(), self.watched
                return [record_batch(db, hooks, failed, self.raws, token=self.token, now=now, watched=watched)]
        except _Costly as error:  # nothing was written
            rest = [hook for hook in hooks if hook is not error.hook]
            return self.of(rest, [*failed, failed_hook(head_of(error.hook), "fan_out", error.why)])
        except CratewireError:
            raise
        except Exception as error:
            if not may_blame_a_hook(error) or not hooks:
                raise
            log.warning("a batch could not be recorded", hooks=len(hooks), error=type(error).__name__)
            if len(hooks) == 1:
                self.ours.append(failed_hook(head_of(hooks[0]), "fan_out", internal(error)))
                return self.of([], failed) if failed else []
            middle = len(hooks) // 2
            return [*self.of(hooks[:middle], failed), *self.of(hooks[middle:], [])]

    @contextmanager
    def watched(self, hook: ValidHook) -> Iterator[None]:
        try:
            with self.costs.of(hook["store"]):
                yield
        except BadHook as error:
            raise _Costly(hook, error) from None
