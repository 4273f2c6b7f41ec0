"""Third link: loaded hooks -> the ledger. A hook it refuses is taken out alone; a ledger in trouble refuses none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import structlog
from sqlalchemy import Engine

from pipeline.chain.blame import may_blame_a_hook
from pipeline.chain.heads import failed as failed_hook
from pipeline.chain.heads import internal
from pipeline.errors import CratewireError
from pipeline.ledger.engine import writing
from pipeline.model import Batch, FailedHook, ValidHook, head_of
from pipeline.record.batch import Recorded, record_batch
from pipeline.record.dead import Raw

log = structlog.get_logger(__name__)


def record(engine: Engine, batch: Batch, raws: Mapping[str, Raw], now: Callable[[], int]) -> list[Recorded]:
    """Record a batch in one transaction; if one of its hooks cannot be recorded, in as few as single it out.

    Raises StaleFence if the inbox has a newer holder, and what the database driver raises when the ledger is in
    trouble.
    """
    return _record(engine, batch["hooks"], batch["failed"], raws, batch["token"], now)


def _record(
    engine: Engine,
    hooks: Sequence[ValidHook],
    failed: Sequence[FailedHook],
    raws: Mapping[str, Raw],
    token: int,
    now: Callable[[], int],
) -> list[Recorded]:
    try:
        with writing(engine) as db:
            return [record_batch(db, hooks, failed, raws, token=token, now=now())]
    except CratewireError:
        raise
    except Exception as error:
        if not may_blame_a_hook(error) or not hooks:
            raise
        log.warning("a batch could not be recorded", hooks=len(hooks), error=type(error).__name__)
        if len(hooks) == 1:
            return _record(
                engine, [], [*failed, failed_hook(head_of(hooks[0]), "fan_out", internal(error))], raws, token, now
            )
        middle = len(hooks) // 2
        first = _record(engine, hooks[:middle], failed, raws, token, now)
        return [*first, *_record(engine, hooks[middle:], [], raws, token, now)]
