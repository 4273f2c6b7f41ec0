"""The chain lease: one chain at a time reads the inbox, so that hooks are recorded in their order.

The lease passes from link to link with the batch. Its token is a time in µs that only grows, so the ledger knows a
later holder from an earlier one, even after Redis was emptied. A lease that ran out while its next link waited for a
worker is resumed, if no other chain has held it since. The sweep finds out whether a link's message was lost: a queue
is first in, first out, so when a sweep starts that was queued after the link, the link has left the queue.

A link holds the lease in a `with` block and ends in one of four ways:

- it hands the batch to the next link (`park`);
- it is done with the batch (`finish`);
- it fails, and the lease is given back so that the batch is read again at once;
- it is killed, or runs out of memory: the lease is kept until it runs out, and the batch's bodies count as tried
  (`pipeline.inbox.poison`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from redis import Redis

from pipeline.core.errors import StaleFence
from pipeline.core.hooks import RawBody
from pipeline.inbox import poison, stream
from pipeline.infra import redis_keys
from pipeline.infra.lua import read_lua

LEASE_TTL_MS = 8_000  # for how long the batch of a killed worker waits before it is read again
PARKED_TTL_MS = 120_000  # for how long a batch waits for its next link, while slow lanes occupy every worker
MAX_SWEEP_AGE_MS = 6_000  # a sweep is never older, so a link whose lease was parked before that has left its queue
TAKEOVER_INTERVAL_S = 10  # the link may be in a worker that has no time, and must not be overtaken again and again

_ACQUIRE = read_lua(__package__, "chain_lease_acquire")
_RENEW = read_lua(__package__, "chain_lease_renew")
_IS_FREE = read_lua(__package__, "chain_lease_is_free")
_RELEASE = read_lua(__package__, "chain_lease_release")

Retry = Callable[[Callable[[], object]], object]  # runs an action, and repeats it in the background while Redis is away


class ChainLease:
    """The chain lease while one link holds it."""

    def __init__(self, redis: Redis, token: int) -> None:
        self.token = token
        self.is_passed_on = False
        self._redis = redis

    def park(self) -> None:
        """Leave the lease to the next link, which may have to wait for a worker."""
        park_chain_lease(self._redis, self.token)
        self.is_passed_on = True

    def finish(self, entry_ids: Sequence[str], raws: Sequence[RawBody], *, any_recorded: bool = False) -> None:
        """Remove the entries from the inbox, reset the tries of the bodies and release the lease, in one write.

        `any_recorded`: hooks succeeded, so internal errors before them are no longer consecutive.
        """
        with self._redis.pipeline(transaction=True) as pipe:
            stream.remove(pipe, entry_ids)
            poison.reset_tries(pipe, raws)
            if any_recorded:
                pipe.delete(redis_keys.CONSECUTIVE_FAILURES)
            release_chain_lease(pipe, self.token)
            pipe.execute()
        self.is_passed_on = True

    def release(self) -> None:
        """Give the lease back."""
        release_chain_lease(self._redis, self.token)
        self.is_passed_on = True


@contextmanager
def take_chain_lease(redis: Redis, retry: Retry) -> Iterator[ChainLease | None]:
    """Hold the lease for the first link of a chain; None if another chain holds it.

    It is released at the end of the block unless it was passed on, and with `retry` if the block fails.
    """
    token = acquire_chain_lease(redis)
    if token is None:
        yield None
        return
    lease = ChainLease(redis, token)
    with _give_back_on_failure(lease, lambda: retry(lease.release)):
        yield lease


@contextmanager
def resume_chain_lease(
    redis: Redis,
    token: int,
    retry: Retry,
    on_failure: Callable[[], object],
    failures: type[BaseException] = Exception,
) -> Iterator[ChainLease]:
    """Hold the lease that the link before this one has parked. Raises StaleFence if another chain has held it since.

    It is released at the end of the block unless it was passed on. If the block ends with one of `failures`, the lease
    is released and `on_failure` called, both with `retry`.
    """
    lease = ChainLease(redis, token)

    def give_back() -> None:
        lease.release()
        on_failure()

    with _give_back_on_failure(lease, lambda: retry(give_back), failures):
        if not renew_chain_lease(redis, token):
            raise StaleFence("another chain has acquired the chain lease")
        yield lease


@contextmanager
def _give_back_on_failure(
    lease: ChainLease, give_back: Callable[[], object], failures: type[BaseException] = Exception
) -> Iterator[None]:
    try:
        yield
        if not lease.is_passed_on:
            lease.release()
    except MemoryError:  # a body that needs all memory counts as one that kills its worker
        raise
    except failures:
        give_back()
        raise


def acquire_chain_lease(redis: Redis, ttl_ms: int = LEASE_TTL_MS) -> int | None:
    """Return a fencing token, or None while another chain holds the lease. Ends the wake-up in either case."""
    return int(_eval(redis, _ACQUIRE, ttl_ms)) or None


def is_chain_lease_free(redis: Redis) -> bool:
    """Return whether no chain holds the lease, for a sweep. A lease whose next link was lost is taken away first.

    If that link comes after all, before another chain has acquired the lease, it goes on.
    """
    return bool(_eval(redis, _IS_FREE, LEASE_TTL_MS, PARKED_TTL_MS - MAX_SWEEP_AGE_MS, TAKEOVER_INTERVAL_S))


def renew_chain_lease(redis: Redis, token: int, ttl_ms: int = LEASE_TTL_MS) -> bool:
    """Return whether no other chain has held the lease since. If so, restart its time; a link is at work now."""
    return bool(_eval(redis, _RENEW, ttl_ms, token, 1))


def park_chain_lease(redis: Redis, token: int) -> None:
    """Keep the lease for the next link, which may have to wait for a worker; no link is at work now."""
    _eval(redis, _RENEW, PARKED_TTL_MS, token, 0)


def release_chain_lease(redis: Redis, token: int) -> None:
    """Release the lease if it is still held with this token: its worker has survived the batch."""
    _eval(redis, _RELEASE, token)


def _eval(redis: Redis, script: str, *arguments: int) -> Any:
    names = (
        redis_keys.INBOX_LEASE,
        redis_keys.INBOX_TOKEN,
        redis_keys.INBOX_TAKEOVER,
        redis_keys.WAKEUP,
        redis_keys.CURRENT_BATCH,
    )
    return redis.eval(script, len(names), *names, *arguments)
