"""How a hook leaves the chain before it is recorded: which errors it may fail of, and what is left out of its batch."""

from __future__ import annotations

import errno
from collections.abc import Iterable

import structlog
from redis import RedisError

from pipeline.core.errors import BadHook, CratewireError
from pipeline.core.hooks import INTERNAL_ERROR, Batch, FailedHook, HookEnvelope, build_failed_hook
from pipeline.inbox.entry import InboxEntry
from pipeline.inbox.poison import MAX_TRIES
from pipeline.ledger.faults import classify_database_error
from pipeline.processing.release import RELEASE

log = structlog.get_logger(__name__)

POISON = "poison"  # the reason of hooks whose worker was killed too often

_INFRASTRUCTURE_ERRORS = (MemoryError, RedisError, CratewireError)
# What the C library says of a value: a time outside the calendar is an OSError.
_VALUE_ERRNOS = {errno.EOVERFLOW, errno.ERANGE, errno.EDOM, errno.EINVAL}


def is_hook_fault(error: Exception) -> bool:
    """Return whether the error can be caused by the hook, or by our code with this hook.

    An error of a server or of this machine would affect the next hook too, so the hook has to stay in the inbox.
    """
    if isinstance(error, _INFRASTRUCTURE_ERRORS) or classify_database_error(error) is not None:
        return False
    return not isinstance(error, OSError) or error.errno in _VALUE_ERRNOS


def wrap_internal_error(error: Exception) -> BadHook:
    """Return an error of our own code as the hook's, with the release it happened in.

    Only its type is stored: its message may contain the body.
    """
    return BadHook(INTERNAL_ERROR, {"error": type(error).__name__, "release": RELEASE})


def fail_hook(hook: HookEnvelope, stage: str, error: Exception) -> FailedHook:
    """Return the hook as failed because of this error. Raises the error itself if the hook cannot be the cause."""
    if isinstance(error, BadHook):
        return build_failed_hook(hook, stage, error)
    if not is_hook_fault(error):
        raise error
    log.warning(
        "a hook failed with an internal error", stage=stage, receipt=hook["receipt"], error=type(error).__name__
    )
    return build_failed_hook(hook, stage, wrap_internal_error(error))


def quarantine(batch: Batch, poison: Iterable[InboxEntry]) -> Batch:
    """Return the batch with these entries among its failed hooks."""
    error = BadHook(POISON, {"tries": MAX_TRIES})
    failed = [build_failed_hook(entry.envelope, "decode", error) for entry in poison]
    return {**batch, "failed": [*batch["failed"], *failed]}


def exclude_hooks(batch: Batch, excluded: Iterable[FailedHook]) -> Batch:
    """Return the batch without these hooks, which stay in the inbox."""
    ids = {hook["entry_id"] for hook in excluded}
    return {
        **batch,
        "hooks": [hook for hook in batch["hooks"] if hook["entry_id"] not in ids],
        "failed": [hook for hook in batch["failed"] if hook["entry_id"] not in ids],
    }
