"""One look at everything about silences: what was heard, who is late, what came of the attempts, whom to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.silence.canaries import wanted_canaries
from pipeline.ledger.silence.heard import listen
from pipeline.silence.canary import watch_way_in
from pipeline.silence.listening import listen_to, stores_to_listen_to
from pipeline.silence.telling import Audience, tell
from pipeline.silence.trying import Means, begin, collect

LONGEST_US = 20_000_000  # of listening in one sweep: a ledger that is new to us is listened to in several


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
    """A transaction for each, so that hooks need not wait for all of them."""
    with reading(ears.engine) as db:
        stores = stores_to_listen_to(db, ears.now())
    for store_id in stores:
        now = ears.now()
        with writing(ears.engine) as db:
            if listen_to(db, store_id, now):
                begin(db, ears.means, store_id, now)
