"""What happens to the inbox once the ledger holds a batch."""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis

from pipeline.inbox import stream, tries
from pipeline.inbox.turn import end_turn


def finish(redis: Redis, entry_ids: Sequence[str], raws: Sequence[tuple[bytes, str | None]], token: int) -> None:
    """Take the entries out, forget the bodies' tries and give back the turn: one write, one wait for the disk."""
    with redis.pipeline(transaction=True) as pipe:
        stream.done(pipe, entry_ids)
        tries.forget(pipe, raws)
        end_turn(pipe, token)
        pipe.execute()
