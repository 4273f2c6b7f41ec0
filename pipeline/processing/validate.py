"""Second link: bodies -> loaded data, by the schema the event's row names. Errors are kept by field."""

from __future__ import annotations

from collections.abc import Callable

import structlog

import schemas
from pipeline.core.errors import BadHook
from pipeline.core.hooks import Batch, DecodedHook, ValidHook, get_envelope
from pipeline.events.catalogue import get_event_row, strict_paths
from pipeline.processing.cpu_budget import CpuBudget
from pipeline.processing.errors import is_hook_fault
from pipeline.processing.failures import build_failed_hook, wrap_internal_error

log = structlog.get_logger(__name__)


def validate_batch(batch: Batch, now: Callable[[], int], cpu_budget: CpuBudget | None = None) -> Batch:
    """Load every body, unless its store has used up its share.

    An unknown event passes as it is; unknown keys are named, never fatal. Fields that cannot be read are set aside,
    unless they say what happened or to whom.
    """
    cpu_budget = cpu_budget or CpuBudget()
    checked = Batch(token=batch["token"], hooks=[], failed=list(batch["failed"]))
    for hook in batch["hooks"]:
        if cpu_budget.defer_if_over_share(hook["store"], hook["entry_id"]):
            continue
        try:
            with cpu_budget.of(hook["store"]):
                loaded = _load(hook, now)
            checked["hooks"].append(loaded)
        except BadHook as error:
            checked["failed"].append(build_failed_hook(get_envelope(hook), "validate", error))
        except schemas.InvalidBody as invalid:
            refused = BadHook("invalid", {"errors": invalid.errors})
            checked["failed"].append(build_failed_hook(get_envelope(hook), "validate", refused))
        except Exception as error:
            if not is_hook_fault(error):
                raise
            log.warning("a hook could not be validated", receipt=hook["receipt"], error=type(error).__name__)
            checked["failed"].append(build_failed_hook(get_envelope(hook), "validate", wrap_internal_error(error)))
    return checked


def _load(hook: DecodedHook, now: Callable[[], int]) -> ValidHook:
    row = get_event_row(hook["event"])
    loaded = schemas.load(row.schema, hook["body"], strict_paths(row))
    return ValidHook(
        **get_envelope(hook),
        form=hook["form"],
        fingerprint=hook["fingerprint"],
        decoded_at=hook["decoded_at"],
        validated_at=now(),
        data=loaded.data,
        unknown=sorted(loaded.unknown),
        aside={path: ", ".join(messages) for path, messages in sorted(loaded.aside.items())},
    )
