"""Kept counts: what was received in each hour and what became of it. See `docs/flow.md`."""
