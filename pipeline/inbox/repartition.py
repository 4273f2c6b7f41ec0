"""Gives the inbox another number of partitions, while hooks come and others wait. Nothing is lost or overtaken.

While hooks are moved no chain runs, and new hooks are added to the partitions of before, behind what waits there. Each
step is one script that moves some entries, each with its removal; the one that finds nothing left to move also makes
the new number count. So a process that is killed leaves nothing but an unfinished move, which the next one, or the
sweep of a worker, finishes: no hook of a store is read before it is with the others of its store.

The fences in the ledger are advanced before the first hook is moved: a chain that was stopped with a batch, however
late it wakes up, records nothing any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from redis import Redis

from pipeline.core.errors import CratewireError
from pipeline.inbox import poison, stream
from pipeline.inbox.chain_lease import acquire_chain_lease, is_chain_lease_free, release_chain_lease, renew_chain_lease
from pipeline.inbox.partitions import MAX_PARTITIONS, get_partition_count
from pipeline.infra import redis_keys
from pipeline.infra.lua import read_lua
from pipeline.infra.redis_lease import Lease

MAX_STEP_BYTES = 500_000  # in one script: some milliseconds, in which Redis answers nothing else
MAX_WAIT_S = 150.0  # for the batches that are under way: longer than a lease whose next link was lost
_LEASE_MS = 8_000
_POLL_S = 0.05
_FIRST_ID = "0-0"
_BEGIN = read_lua(__package__, "repartition_begin")
_MOVE = read_lua(__package__, "repartition_move")

AdvanceFence = Callable[[int, int], object]  # a partition's fence in the ledger, to a token of its lease


class PartitionsBusy(CratewireError):
    """The number cannot be changed now: another process changes it, or a batch takes too long. To be tried again."""


@dataclass(frozen=True, slots=True)
class Move:
    """How many partitions there were and are, and how many waiting hooks were looked at and moved."""

    before: int
    after: int
    looked_at: int = 0
    moved: int = 0


@dataclass(frozen=True, slots=True)
class _Mover:
    redis: Redis
    move_id: str
    advance_fence: AdvanceFence
    max_wait_s: float
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def change_partitions(
    redis: Redis, number: int, move_id: str, advance_fence: AdvanceFence, max_wait_s: float = MAX_WAIT_S
) -> Move:
    """Give the inbox this many partitions; a change that another process began and did not finish is finished first.

    `move_id`: unique. Raises PartitionsBusy, RedisError, and what `advance_fence` does; it may be called again then.
    """
    mover = _Mover(redis, move_id, advance_fence, max_wait_s)
    with _alone(mover):
        finished = _run(mover, 0)
        return _run(mover, number) if finished.after != number else finished


def finish_change(redis: Redis, move_id: str, advance_fence: AdvanceFence, max_wait_s: float) -> Move | None:
    """Finish a change that was begun, for a sweep; None if there is none. Raises as `change_partitions` does."""
    if get_partition_count(redis).next is None:
        return None
    mover = _Mover(redis, move_id, advance_fence, max_wait_s)
    with _alone(mover):
        return _run(mover, 0)


@contextmanager
def _alone(mover: _Mover) -> Iterator[None]:
    lease = Lease(mover.redis, redis_keys.PARTITIONS_LEASE, mover.move_id, _LEASE_MS)
    with lease.hold() as is_held:
        if not is_held:
            raise PartitionsBusy("another process changes the number of partitions now")
        yield


def _run(mover: _Mover, wanted: int) -> Move:
    keys = (redis_keys.PARTITIONS, redis_keys.INBOX, redis_keys.INBOX_TOKEN)
    answer: Any = mover.redis.eval(
        _BEGIN, len(keys), *keys, wanted, mover.move_id, redis_keys.INBOX_GROUP, MAX_PARTITIONS
    )
    before, after = answer
    if before == after:
        return Move(before, after)
    with ExitStack() as leases:
        tokens = {partition: _stop_chain(mover, leases, partition) for partition in _list_partitions(mover, *answer)}
        return _move_all(mover, Move(before, after), tokens)


def _list_partitions(mover: _Mover, before: int, after: int) -> list[int]:
    return sorted({*range(max(before, after)), *stream.get_depths(mover.redis)})


def _stop_chain(mover: _Mover, leases: ExitStack, partition: int) -> int:
    """Wait for the partition's batch, and let no chain record another. Returns the token of its lease."""
    until = mover.monotonic() + mover.max_wait_s
    while (token := acquire_chain_lease(mover.redis, _LEASE_MS, partition, to_move=True)) is None:
        if mover.monotonic() >= until:
            raise PartitionsBusy(f"a batch of partition {partition} is still being recorded")
        is_chain_lease_free(mover.redis, partition)  # takes it from a link that was lost
        mover.sleep(_POLL_S)
    leases.callback(release_chain_lease, mover.redis, token, partition)
    mover.advance_fence(partition, token)
    poison.count_killed(mover.redis, partition)
    return token


def _move_all(mover: _Mover, move: Move, tokens: dict[int, int]) -> Move:
    seen: list[Any] = [_FIRST_ID] * move.before
    looked_at = moved = 0
    keys = (redis_keys.PARTITIONS, redis_keys.INBOX)
    while True:
        answer: Any = mover.redis.eval(
            _MOVE, len(keys), *keys, mover.move_id, redis_keys.INBOX_GROUP, MAX_STEP_BYTES, *seen
        )
        state, looked_now, moved_now, *seen = answer
        looked_at, moved = looked_at + looked_now, moved + moved_now
        if state == 1:
            return Move(move.before, move.after, looked_at, moved)
        if state < 0:
            raise PartitionsBusy("another process changes the number of partitions now")
        for partition, token in tokens.items():
            renew_chain_lease(mover.redis, token, _LEASE_MS, partition)
