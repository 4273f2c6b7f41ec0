"""Which fields of a body must be readable: those that say what happened. Who somebody is, `schemas` knows itself.

What else cannot be read is set aside, and the rest of the body goes on: one odd price costs no event.
"""

from __future__ import annotations

from functools import cache

from pipeline.events.table import EVENTS, EventRow


@cache
def strict_paths(row: EventRow) -> frozenset[str]:
    """The paths in the body of an event that identify it, its subject and its buyer, without indexes."""
    subject = (*row.identity, "id") if row.subject else row.identity
    return frozenset([*(_under(row.at, path) for path in subject), *filter(None, row.buyer)])


@cache
def strict_paths_of_model(model: str) -> frozenset[str] | None:
    """The same in an object as the API has it, for all events about it; None: no event is, so all must be readable."""
    rows = [row for row in EVENTS.values() if row.subject == model]
    return frozenset(["id", *(path for row in rows for path in row.identity)]) if rows else None


def _under(place: str, path: str) -> str:
    return f"{place}.{path}" if place else path
