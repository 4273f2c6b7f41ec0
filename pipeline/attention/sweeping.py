"""One look at everything that may need a person, and telling what is new or over."""

from __future__ import annotations

from pipeline.attention.item import Sources
from pipeline.attention.noting import note
from pipeline.ledger.engine import writing
from pipeline.silence.telling import Audience, tell


def sweep(sources: Sources, audience: Audience) -> int:
    """Look once; how many accounts were told something."""
    note(sources)
    with writing(sources.engine) as db:
        return tell(db, audience, sources.now)
