"""Reads older people and events for the search, a slice in a transaction: hooks are recorded between them."""

from __future__ import annotations

from pipeline.context import Context
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.search_terms import FILLED_KINDS, fill_slice, is_search_filled

SLICE_ROWS = 500
MAX_RUN_US = 2_000_000  # of one run: then the worker takes up other tasks


def run(context: Context) -> bool:
    """Read older rows until the time is up; returns whether this run has read the last of them."""
    with reading(context.engine) as conn:
        if is_search_filled(conn):
            return False
    until = context.now() + MAX_RUN_US
    for kind in FILLED_KINDS:
        is_done = False
        while not is_done:
            if context.now() >= until:
                return False
            with writing(context.engine) as conn:
                is_done = fill_slice(conn, kind, SLICE_ROWS, context.now())
    return True
