"""One look at everything about silences: what was heard, who is late, what came of the attempts, whom to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.silence.canaries import wanted_canaries
from pipeline.ledger.silence.heard import listen
from pipeline.silence.canary import watch_way_in
from pipeline.silence.listening import end_what_is_over, expect, note_expected, stores_to_listen_to
from pipeline.silence.telling import Audience, tell
from pipeline.silence.trying import Means, begin, collect

LONGEST_US = 20_000_000  # of listening, or of learning, in one sweep: what is left over is the next one's


@dataclass(frozen=True, slots=True)
class Ears:
    """What a sweep needs."""

    engine: Engine
    means: Means
    audience: Audience
    now: Callable[[], int]  # µs


def sweep(ears: Ears) -> list[int]:
    """Look once. Returns the canaries that are to be sent."""
    if _catch_up(ears):
        _look_at_stores(ears)
    now = ears.now()
    with writing(ears.engine) as db:
        watch_way_in(db, ears.means.canary_seconds, ears.means.nonce, now)
        collect(db, ears.means, now)
        tell(db, ears.audience, now)
    with reading(ears.engine) as db:
        return wanted_canaries(db)


def _catch_up(ears: Ears) -> bool:
    """Whether all that is in the ledger has been heard. Until then nobody can say who is silent."""
    until = ears.now() + LONGEST_US
    while ears.now() < until:
        with writing(ears.engine) as db:
            if not listen(db):
                return True
    return False


def _look_at_stores(ears: Ears) -> None:
    """Those for which the time does not suffice are looked at by the next sweep."""
    until = ears.now() + LONGEST_US
    with reading(ears.engine) as db:
        stores = stores_to_listen_to(db, ears.now())
    for store_id in stores:
        if ears.now() >= until:
            return
        _look_at(ears, store_id, ears.now())


def _look_at(ears: Ears, store_id: int, now: int) -> None:
    with writing(ears.engine) as db:
        end_what_is_over(db, store_id, now)
    with reading(ears.engine) as db:
        expected = expect(db, store_id, now)
    with writing(ears.engine) as db:
        if note_expected(db, store_id, expected, now):
            begin(db, ears.means, store_id, now)
