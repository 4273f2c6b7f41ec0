"""Reads older people and events for the search, a slice in a transaction: hooks are recorded between them."""

from __future__ import annotations

from pipeline.context import Context
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.search_terms import FILLED_KINDS, fill_slice, is_search_filled

SLICE_ROWS = 500
MAX_RUN_US = 2_000_000  # of one run: then the worker takes up other tasks


def is_done(context: Context) -> bool:
    """Whether there is nothing left to read."""
    with reading(context.engine) as conn:
        return is_search_filled(conn)


def run(context: Context) -> bool:
    """Read older rows until the time is up; returns whether this run has read the last of them."""
    until = context.now() + MAX_RUN_US
    for kind in FILLED_KINDS:
        has_more = True
        while has_more:
            if context.now() >= until:
                return False
            with writing(context.engine) as conn:
                has_more = not fill_slice(conn, kind, SLICE_ROWS, context.now())
    return True
