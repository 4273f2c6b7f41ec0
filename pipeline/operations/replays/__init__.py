"""Replays: counted first, then sent again in slices, behind everything that is live, until done or stopped."""
