"""The chain lease: one chain at a time reads a partition of the inbox, so that hooks are recorded in their order.

A task holds the lease while it goes from link to link and from batch to batch, and may pass it to another task together
with a batch. The lease's token is a time in µs that only grows, so the ledger knows a later holder from an earlier one,
even after Redis was emptied. A lease that ran out while its next link waited for a worker is resumed, if no other chain
has held it since. The sweep finds out whether a link's message was lost: a queue is first in, first out, so when a
sweep starts that was queued after the link, the link has left the queue.

A task holds the lease in a `with` block, which it leaves in one of four ways:

- it passes the batch on to the next task (`park`);
- it is done with the last batch (`finish`);
- it fails, and the lease is given back so that the batch is read again at once;
- it is killed, or runs out of memory: the lease is kept until it runs out, and the bodies of the batch count as tried
  (`pipeline.inbox.poison`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from redis import Redis

from pipeline.core.errors import StaleFence
from pipeline.core.hooks import RawBody
from pipeline.inbox import poison
from pipeline.infra import redis_keys
from pipeline.infra.lua import read_lua

LEASE_TTL_MS = 8_000  # for how long the batch of a killed worker waits before it is read again
RENEW_AFTER_S = 1.0  # a lease younger than that is not renewed between two links: each write waits for the disk
PARKED_TTL_MS = 120_000  # for how long a batch waits for its next link, while slow lanes occupy every worker
MAX_SWEEP_AGE_MS = 6_000  # a sweep is never older, so a link whose lease was parked before that has left its queue
TAKEOVER_INTERVAL_S = 10  # the link may be in a worker that has no time, and must not be overtaken again and again

_ACQUIRE = read_lua(__package__, "chain_lease_acquire")
_RENEW = read_lua(__package__, "chain_lease_renew")
_IS_FREE = read_lua(__package__, "chain_lease_is_free")
_RELEASE = read_lua(__package__, "chain_lease_release")
_FINISH = read_lua(__package__, "chain_lease_finish")

Retry = Callable[[Callable[[], object]], object]  # runs an action, and repeats it in the background while Redis is away


class ChainLease:
    """The chain lease while one task holds it.

    `bodies` and `failures` are those of the link at work: if the link ends with one of `failures`, its worker has
    survived the bodies, and their tries are reset.
    """

    def __init__(
        self, redis: Redis, token: int, partition: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.token = token
        self.partition = partition
        self.is_passed_on = False
        self.bodies: Sequence[RawBody] = ()
        self.failures: type[BaseException] = Exception
        self._redis = redis
        self._clock = clock
        self._renewed_at = clock()

    def renew(self) -> None:
        """Restart its time before the next link, if it is not young. Raises StaleFence if another chain has held it."""
        if self._clock() - self._renewed_at >= RENEW_AFTER_S:
            self.resume()

    def resume(self) -> None:
        """Restart its time. Raises StaleFence if another chain has held it since."""
        if not renew_chain_lease(self._redis, self.token, partition=self.partition):
            raise StaleFence("another chain has acquired the chain lease")
        self._renewed_at = self._clock()

    def park(self) -> None:
        """Leave the lease to the next task, which may have to wait for a worker."""
        park_chain_lease(self._redis, self.token, self.partition)
        self.is_passed_on = True

    def finish(
        self, entry_ids: Sequence[str], raws: Sequence[RawBody], *, any_recorded: bool = False, may_go_on: bool = False
    ) -> int:
        """Remove the entries from the inbox and reset the tries of the bodies. Returns how many hooks wait.

        In the same write the lease is renewed if hooks wait and the holder may go on, and otherwise released: a hook
        that comes later wakes the chain. `any_recorded`: hooks succeeded, so internal errors before them are no longer
        consecutive.
        """
        names = (redis_keys.INBOX_LEASE, redis_keys.INBOX_TOKEN, redis_keys.CURRENT_BATCH, redis_keys.INBOX)
        keys = [redis_keys.in_partition(name, self.partition) for name in names]
        keys += [redis_keys.POISON_TRIES, redis_keys.CONSECUTIVE_FAILURES, redis_keys.PARTITIONS]
        ttl_ms = LEASE_TTL_MS if may_go_on else 0
        numbers = (self.token, ttl_ms, int(any_recorded), len(entry_ids))
        arguments: list[str | int] = [redis_keys.INBOX_GROUP, *numbers, *entry_ids, *poison.hash_contents(raws)]
        found: Any = self._redis.eval(_FINISH, len(keys), *keys, *arguments)
        waiting, is_held = found
        self.bodies, self.failures = (), Exception
        self._renewed_at = self._clock()
        self.is_passed_on = not is_held
        return int(waiting)

    def give_back(self) -> None:
        """Release the lease after a failure that the bodies have not killed their worker by."""
        self.release()
        poison.reset_tries(self._redis, self.bodies)

    def release(self) -> None:
        """Give the lease back."""
        release_chain_lease(self._redis, self.token, self.partition)
        self.is_passed_on = True


@contextmanager
def take_chain_lease(redis: Redis, retry: Retry, partition: int = 0) -> Iterator[ChainLease | None]:
    """Hold the partition's lease for the first link of a chain; None if another chain holds it.

    It is released at the end of the block unless it was passed on, and given back with `retry` if the block fails.
    """
    token = acquire_chain_lease(redis, partition=partition)
    if token is None:
        yield None
        return
    lease = ChainLease(redis, token, partition)
    with _give_back_on_failure(lease, retry):
        yield lease


@contextmanager
def resume_chain_lease(
    redis: Redis, token: int, retry: Retry, load_bodies: Callable[[], Sequence[RawBody]], partition: int = 0
) -> Iterator[ChainLease]:
    """Hold the partition's lease that the link before this one has parked, as `take_chain_lease` does.

    Raises StaleFence if another chain has held it since. `load_bodies` loads those of the batch.
    """
    lease = ChainLease(redis, token, partition)
    with _give_back_on_failure(lease, retry):
        lease.bodies = load_bodies()
        lease.resume()
        yield lease


@contextmanager
def _give_back_on_failure(lease: ChainLease, retry: Retry) -> Iterator[None]:
    try:
        yield
        if not lease.is_passed_on:
            lease.release()
    except MemoryError:  # a body that needs all memory counts as one that kills its worker
        raise
    except BaseException as error:
        if isinstance(error, lease.failures):
            retry(lease.give_back)
        raise


def acquire_chain_lease(
    redis: Redis, ttl_ms: int = LEASE_TTL_MS, partition: int = 0, *, to_move: bool = False
) -> int | None:
    """Return a fencing token, or None while another chain holds the lease. Ends the wake-up in either case.

    While the inbox is given another number of partitions, only who moves its hooks (`to_move`) gets a lease.
    """
    return int(_eval(redis, partition, _ACQUIRE, ttl_ms, int(to_move))) or None


def is_chain_lease_free(redis: Redis, partition: int = 0) -> bool:
    """Return whether no chain holds the lease, for a sweep. A lease whose next link was lost is taken away first.

    If that link comes after all, before another chain has acquired the lease, it goes on.
    """
    oldest_ms = PARKED_TTL_MS - MAX_SWEEP_AGE_MS
    return bool(_eval(redis, partition, _IS_FREE, LEASE_TTL_MS, oldest_ms, TAKEOVER_INTERVAL_S))


def renew_chain_lease(redis: Redis, token: int, ttl_ms: int = LEASE_TTL_MS, partition: int = 0) -> bool:
    """Return whether no other chain has held the lease since. If so, restart its time; a link is at work now."""
    return bool(_eval(redis, partition, _RENEW, ttl_ms, token, 1))


def park_chain_lease(redis: Redis, token: int, partition: int = 0) -> None:
    """Keep the lease for the next link, which may have to wait for a worker; no link is at work now."""
    _eval(redis, partition, _RENEW, PARKED_TTL_MS, token, 0)


def release_chain_lease(redis: Redis, token: int, partition: int = 0) -> None:
    """Release the lease if it is still held with this token: its worker has survived the batch."""
    _eval(redis, partition, _RELEASE, token)


def _eval(redis: Redis, partition: int, script: str, *arguments: int) -> Any:
    names = (
        redis_keys.INBOX_LEASE,
        redis_keys.INBOX_TOKEN,
        redis_keys.INBOX_TAKEOVER,
        redis_keys.WAKEUP,
        redis_keys.CURRENT_BATCH,
    )
    keys = [redis_keys.in_partition(name, partition) for name in names]
    return redis.eval(script, len(keys) + 1, *keys, redis_keys.PARTITIONS, *arguments)
