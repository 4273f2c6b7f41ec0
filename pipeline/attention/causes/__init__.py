"""The table of causes, the gravest first. A further cause is a file beside this one and a row here.

Its name is public: notices, figures and `docs/attention.md` have it.
"""

from __future__ import annotations

from pipeline.attention.causes import (
    cratejoy_keys,
    database_trouble,
    hearing,
    hooks_turned_away,
    memory_short,
    platform_away,
    platform_keys,
    refused_messages,
    release_broken,
    shared_keys,
    sweeps_unsent,
)
from pipeline.attention.item import Cause

CAUSES: tuple[Cause, ...] = (
    database_trouble.CAUSE,
    release_broken.CAUSE,
    memory_short.CAUSE,
    sweeps_unsent.CAUSE,
    hearing.WAY_IN_CAUSE,
    hooks_turned_away.CAUSE,
    platform_keys.CAUSE,
    platform_away.CAUSE,
    cratejoy_keys.CAUSE,
    shared_keys.CAUSE,
    hearing.SILENCE_CAUSE,
    refused_messages.CAUSE,
)
