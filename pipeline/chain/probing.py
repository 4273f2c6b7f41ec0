"""Tries hooks that wait, to the end of the chain and without keeping anything of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from redis import Redis
from sqlalchemy import Engine

from pipeline.chain.blame import may_blame_a_hook
from pipeline.chain.decoding import decode_batch
from pipeline.chain.validating import validate_batch
from pipeline.inbox import stream
from pipeline.inbox.raw_hook import InboxEntry
from pipeline.ledger.engine import writing
from pipeline.model import CANARY, HEARTBEAT, INTERNAL
from pipeline.record.batch import record_batch

LOOKED_AT = 25  # hooks at either end of the inbox
OF_A_KIND = 3  # that are tried, at most


class _Enough(Exception):
    """Nothing of what was tried is kept."""


def probe(redis: Redis, engine: Engine, now: Callable[[], int], without: Iterable[str] = ()) -> tuple[int, int]:
    """Try some of the hooks that wait. Of the kinds there are among them, each store's events of one name being one:
    how many go on, and how many an error of ours keeps from it. `without`: receipts that are known to fail.

    Raises what a server or this machine raises; that says nothing of hooks.
    """
    kinds = _kinds(redis, frozenset(without))
    sound = sum(any(_goes_on(engine, entry, now) for entry in entries[:OF_A_KIND]) for entries in kinds)
    return sound, len(kinds) - sound


def _kinds(redis: Redis, without: frozenset[str]) -> list[list[InboxEntry]]:
    kinds: dict[tuple[str, str], list[InboxEntry]] = {}
    for entry in stream.ends(redis, LOOKED_AT):
        if entry.receipt not in without and entry.source != HEARTBEAT and entry.event != CANARY:
            kinds.setdefault((entry.store, entry.event), []).append(entry)
    return list(kinds.values())


def _goes_on(engine: Engine, entry: InboxEntry, now: Callable[[], int]) -> bool:
    batch = validate_batch(decode_batch([entry], 0, now), now)
    if batch["failed"]:
        return batch["failed"][0]["reason"] != INTERNAL
    try:
        with writing(engine) as db:
            record_batch(db, batch["hooks"], [], {entry.entry_id: (entry.raw, entry.query)}, token=None, now=now())
            _give_up()
    except _Enough:
        return True
    except Exception as error:
        if not may_blame_a_hook(error):
            raise
    return False


def _give_up() -> None:
    raise _Enough
