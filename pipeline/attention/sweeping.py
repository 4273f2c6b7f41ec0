"""One look at everything that may need a person, and telling what is new or over."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.attention.causes import CAUSES
from pipeline.attention.item import Cause, Sources
from pipeline.attention.looked import last_look, note_look, take_turn
from pipeline.attention.noting import note
from pipeline.ledger.engine import reading, writing
from pipeline.silence.telling import Audience, tell

LATE_US = 180_000_000  # without a sweep's look for so long, web looks instead

EVERY_US = 50_000_000  # between two looks in a sweep's place


def sweep(sources: Sources, audience: Audience, causes: Sequence[Cause] = CAUSES) -> int:
    """Look once; how many accounts were told something."""
    with writing(sources.engine) as db:
        note_look(db, sources.now)
    note(sources, causes)
    with writing(sources.engine) as db:
        return tell(db, audience, sources.now)


def sweep_instead(sources: Sources, audience: Audience, causes: Sequence[Cause] = CAUSES) -> bool:
    """Look and tell in the place of a sweep that nobody sends or takes; whether it was needed and our turn."""
    with reading(sources.engine) as db:
        looked = last_look(db)
    if looked is None or looked > sources.now - LATE_US:
        return False
    with writing(sources.engine) as db:
        if not take_turn(db, sources.now, EVERY_US):
            return False
    note(sources, causes)
    with writing(sources.engine) as db:
        tell(db, audience, sources.now)
    return True
