"""The table of causes, the most serious first.

A cause's name is public: it is in notices, metrics and `docs/attention.md`. To add a cause, write a function that takes
the `Context` and yields an `AttentionItem` for everything that is wrong now, with a subject that stays the same while
it lasts; put `Cause(NAME, function)` into this table, and a row into the page. Alarms, mails, notices, `status`,
`doctor` and `/metrics` follow. What only an operator can fix has the audience OPERATOR and needs no store.
"""

from __future__ import annotations

from pipeline.attention.causes import (
    chain,
    cratejoy_keys,
    data_changes,
    dead_hooks,
    fulfilment,
    hook_registration,
    hooks_turned_away,
    marketplace,
    platform_away,
    platform_keys,
    refused_messages,
    removals,
    servers,
    silence,
    stopped_reads,
)
from pipeline.attention.item import Cause

CAUSES: tuple[Cause, ...] = (
    # nothing arrives
    servers.DATABASE_TROUBLE_CAUSE,
    servers.DATABASE_CAUSE,
    servers.REDIS_CAUSE,
    servers.DISK_CAUSE,
    chain.RELEASE_CAUSE,
    servers.MEMORY_CAUSE,
    chain.SWEEPS_CAUSE,
    chain.CHAIN_CAUSE,
    silence.ENDPOINT_CAUSE,
    servers.SPOOL_CAUSE,
    silence.SILENCE_CAUSE,
    hooks_turned_away.CAUSE,
    # nothing leaves
    platform_keys.CAUSE,
    platform_away.CAUSE,
    fulfilment.PAUSED_CAUSE,
    fulfilment.AWAY_CAUSE,
    # some cannot leave
    refused_messages.CAUSE,
    marketplace.CAUSE,
    fulfilment.BOXES_CAUSE,
    fulfilment.LATE_CAUSE,
    fulfilment.OLD_CAUSE,
    fulfilment.NOTICES_CAUSE,
    fulfilment.QUARANTINE_CAUSE,
    # Cratejoy's hooks
    hook_registration.CAUSE,
    cratejoy_keys.REFUSED_CAUSE,
    cratejoy_keys.SHARED_CAUSE,
    data_changes.RATE_CAUSE,
    # unreadable
    dead_hooks.CAUSE,
    data_changes.KEYS_CAUSE,
    # reading the store
    stopped_reads.BACKFILL_CAUSE,
    stopped_reads.RECONCILIATION_CAUSE,
    removals.CAUSE,
    servers.CLOCK_CAUSE,
)
