"""What happens to the inbox once the ledger holds a batch."""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis

from pipeline.inbox import poison, stream
from pipeline.inbox.chain_lease import release_chain_lease
from pipeline.infra import redis_keys


def finish_batch(
    redis: Redis,
    entry_ids: Sequence[str],
    raws: Sequence[tuple[bytes, str | None]],
    token: int,
    *,
    any_recorded: bool = False,
) -> None:
    """Take the entries out, forget the bodies' tries and give back the turn: one write, one wait for the disk.

    `sound`: hooks went on, so that those which an error of ours kept from it no longer follow each other.
    """
    with redis.pipeline(transaction=True) as pipe:
        stream.remove(pipe, entry_ids)
        poison.reset_tries(pipe, raws)
        if any_recorded:
            pipe.delete(redis_keys.CONSECUTIVE_FAILURES)
        release_chain_lease(pipe, token)
        pipe.execute()
