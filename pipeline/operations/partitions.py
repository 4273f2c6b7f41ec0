"""Changes how many partitions the inbox has, with the ledger's fences; and finishes a change that was begun."""

from __future__ import annotations

from pipeline.context import Context
from pipeline.core.partitions import MAX_PARTITIONS
from pipeline.inbox import repartition
from pipeline.inbox.repartition import Move
from pipeline.ledger.engine import writing
from pipeline.ledger.fence import advance_fence
from pipeline.ledger.inbox_fence import get_fence_name

SWEEP_WAIT_S = 20.0  # a sweep is sent again when it could not finish


def change_partitions(context: Context, number: int) -> Move:
    """Give the inbox this many partitions, 1 to 64. Raises PartitionsBusy, RedisError and the driver's errors.

    Hooks that wait are moved in their order; until all are, none is recorded. If it fails it may be called again, and
    if it is not, the sweep of a worker finishes it.
    """
    if not 1 <= number <= MAX_PARTITIONS:
        raise ValueError(f"{number} partitions: there can be 1 to {MAX_PARTITIONS}")
    return repartition.change_partitions(context.redis, number, context.make_nonce(), _FenceOf(context))


def finish_change(context: Context) -> Move | None:
    """Finish a change whose process was killed; None if there is none. Raises as `change_partitions` does."""
    return repartition.finish_change(context.redis, context.make_nonce(), _FenceOf(context), SWEEP_WAIT_S)


class _FenceOf:
    """Advances a partition's fence in a transaction of its own."""

    def __init__(self, context: Context) -> None:
        self._engine = context.engine

    def __call__(self, partition: int, token: int) -> None:
        with writing(self._engine) as conn:
            advance_fence(conn, get_fence_name(partition), token)
