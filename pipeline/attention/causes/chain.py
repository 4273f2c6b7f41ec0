"""Hooks do not become events: a process does not run, this release breaks the chain, or beat sends no sweeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.core.plural import pluralize
from pipeline.inbox import stream
from pipeline.infra import redis_keys
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.rows import OPERATOR
from pipeline.ledger.queries import assess_chain, find_last_heartbeat
from pipeline.monitoring.beat_schedule import find_unsent_sweeps
from pipeline.processing.failure_limit import get_chain_stop
from pipeline.processing.release import get_running_version

CHAIN, RELEASE, SWEEPS = "chain_dead", "release_broken", "sweeps_unsent"
_SECOND_US = 1_000_000
_CHAIN_TO_DO = (
    "Are web, worker and beat running? `cratewire run` starts them all; `cratewire doctor` and their logs say what "
    "stops them."
)
_RELEASE_EFFECT = (
    "Hooks are kept in the inbox and do not become events. They are tried every ten seconds, and go on if they can."
)
_RELEASE_TO_DO = (
    "Install the version before, or one in which this is fixed. If it is the hooks that are wrong: `cratewire chain "
    "resume`, after which those that fail become dead hooks and can be replayed."
)
_SWEEPS_EFFECT = "Retries, backfills, alarms and mails wait for them."
_SWEEPS_TO_DO = (
    "See that `beat` and a `worker` run and what they log, restart `beat`, and set this machine's clock right."
)


def _find_chain_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    found: Any = context.redis.get(redis_keys.HEARTBEAT_STARTED)
    started_at = int(found) if found else None
    with reading(context.engine) as conn:
        arrival = find_last_heartbeat(conn)
    since = arrival.arrived_at if arrival else started_at
    chain = assess_chain(arrival, started_at, now, context.settings.heartbeat_seconds)
    if chain.alive is not False or since is None:
        return
    waiting = pluralize(stream.depth(context.redis), "hook")
    effect = f"{waiting} in the inbox: all are kept, and become events once the chain runs."
    yield AttentionItem(CHAIN, "chain", OPERATOR, "Hooks do not become events", effect, _CHAIN_TO_DO, since)


def _find_release_items(context: Context) -> Iterator[AttentionItem]:
    """The chain stops if nearly all hooks fail with an error of ours, so that a release does not cost a day's hooks."""
    stop = get_chain_stop(context.redis)
    if stop is None:
        return
    yield AttentionItem(
        RELEASE,
        "chain",
        OPERATOR,
        f"the chain stands: with version {stop.version} nearly all hooks fail in {stop.link} ({stop.error})",
        _RELEASE_EFFECT,
        _RELEASE_TO_DO,
        stop.since,
        tried=(
            f"{stop.hooks} hooks of one batch failed, and so did others that wait. Now runs {get_running_version()}.",
        ),
        reason=stop.error,
    )


def _find_sweep_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    unsent = find_unsent_sweeps(context.redis, now / _SECOND_US)
    if not unsent:
        return
    names = ", ".join(sweep.name for sweep in unsent)
    headline = f"sweeps have not been sent for three of their intervals: {names}"
    since = min(round(now - abs(sweep.unsent_for_s) * _SECOND_US) for sweep in unsent)
    yield AttentionItem(SWEEPS, "sweeps", OPERATOR, headline, _SWEEPS_EFFECT, _SWEEPS_TO_DO, since)


CHAIN_CAUSE, RELEASE_CAUSE, SWEEPS_CAUSE = (
    Cause(CHAIN, _find_chain_items),
    Cause(RELEASE, _find_release_items),
    Cause(SWEEPS, _find_sweep_items),
)
