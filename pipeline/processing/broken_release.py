"""Stops the chain for a release that fails on nearly all hooks, and resumes it once they succeed again."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from pipeline.context import Context
from pipeline.core.hooks import REPLAY, FailedHook
from pipeline.processing.dry_run import dry_run
from pipeline.processing.failure_limit import (
    claim_dry_run,
    exceeds_failure_limit,
    get_chain_stop,
    is_release_broken,
    resume_chain,
    stop_chain,
)

log = structlog.get_logger(__name__)


def is_stopped(context: Context) -> bool:
    """Return whether the chain is stopped. Every few seconds it is dry-run, and resumes if most hooks succeed."""
    if not get_chain_stop(context.redis):
        return False
    if not claim_dry_run(context.redis, context.now()):
        return True
    succeeded, failed = dry_run(context.redis, context.engine, context.now, secret_keys=context.settings.secret_keys)
    if not succeeded or is_release_broken(succeeded, failed):
        return True
    resume_chain(context.redis)
    log.info("the chain resumes", succeeded=succeeded, failed=failed)
    return False


def select_hooks_to_keep(context: Context, failures: Sequence[FailedHook], succeeded: int) -> Sequence[FailedHook]:
    """Return the hooks that stay in the inbox because the release is broken. Replayed hooks are dead already."""
    fresh = [hook for hook in failures if hook["source"] != REPLAY]
    return fresh if fresh and _stop_if_release_broken(context, fresh, succeeded) else []


def _stop_if_release_broken(context: Context, failures: Sequence[FailedHook], succeeded: int) -> bool:
    if not exceeds_failure_limit(context.redis, len(failures), succeeded):
        return False
    if not is_release_broken(
        *dry_run(
            context.redis,
            context.engine,
            context.now,
            [hook["receipt"] for hook in failures],
            context.settings.secret_keys,
        )
    ):
        return False
    stop = stop_chain(context.redis, failures, context.now())
    log.error("the chain stops", version=stop.version, link=stop.link, error=stop.error, hooks=stop.hooks)
    return True
