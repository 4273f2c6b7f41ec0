"""What happens to the inbox once the ledger holds a batch."""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis

from pipeline import keys
from pipeline.inbox import stream, tries
from pipeline.inbox.turn import end_turn


def finish(
    redis: Redis,
    entry_ids: Sequence[str],
    raws: Sequence[tuple[bytes, str | None]],
    token: int,
    *,
    sound: bool = False,
) -> None:
    """Take the entries out, forget the bodies' tries and give back the turn: one write, one wait for the disk.

    `sound`: hooks went on, so that those which an error of ours kept from it no longer follow each other.
    """
    with redis.pipeline(transaction=True) as pipe:
        stream.done(pipe, entry_ids)
        tries.forget(pipe, raws)
        if sound:
            pipe.delete(keys.FAILING)
        end_turn(pipe, token)
        pipe.execute()
