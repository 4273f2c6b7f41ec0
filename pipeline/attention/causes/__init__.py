"""The table of causes, the gravest first. A further cause is a file beside this one and a row here.

Its name is public: notices, figures and `docs/attention.md` have it. To add one, write a function that takes `Sources`
and yields an `Item` for each thing that is wrong now, with a subject that stays the same while it lasts, and put
`Cause(NAME, function)` into this table and a row into the page. All else follows: alarms that open and end, mails,
notices, `status`, `doctor` and `/metrics`. What only an operator can mend has the audience OPERATOR and needs no store.
"""

from __future__ import annotations

from pipeline.attention.causes import (
    chain,
    cratejoy_keys,
    database_trouble,
    dead_hooks,
    hook_registration,
    hooks_turned_away,
    memory_short,
    platform_away,
    platform_keys,
    refused_messages,
    release_broken,
    servers,
    shared_keys,
    silence,
    stopped_reads,
    sweeps_unsent,
)
from pipeline.attention.item import Cause

CAUSES: tuple[Cause, ...] = (
    database_trouble.CAUSE,
    servers.DATABASE_CAUSE,
    servers.REDIS_CAUSE,
    servers.DISK_CAUSE,
    release_broken.CAUSE,
    memory_short.CAUSE,
    sweeps_unsent.CAUSE,
    chain.CHAIN_CAUSE,
    silence.ENDPOINT_CAUSE,
    hooks_turned_away.CAUSE,
    servers.SPOOL_CAUSE,
    hook_registration.CAUSE,
    platform_keys.CAUSE,
    platform_away.CAUSE,
    cratejoy_keys.CAUSE,
    shared_keys.CAUSE,
    silence.SILENCE_CAUSE,
    dead_hooks.CAUSE,
    refused_messages.CAUSE,
    stopped_reads.BACKFILL_CAUSE,
    stopped_reads.RECONCILIATION_CAUSE,
    servers.CLOCK_CAUSE,
)
