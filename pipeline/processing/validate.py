"""Second link: bodies -> data, loaded with the schema of the event. Errors are recorded by field."""

from __future__ import annotations

from collections.abc import Callable

import schemas
from pipeline.core.errors import BadHook
from pipeline.core.hooks import Batch, DecodedHook, ValidHook, build_failed_hook, build_valid_hook
from pipeline.events.catalogue import get_event_row, strict_paths
from pipeline.processing.cpu_budget import CpuBudget
from pipeline.processing.failures import fail_hook


def validate_batch(batch: Batch, now: Callable[[], int], cpu_budget: CpuBudget | None = None) -> Batch:
    """Validate the hooks, except those of stores that have used up their CPU share.

    Unknown events pass as they are; unknown keys are listed and never fatal. Unreadable fields are set aside, except
    those that say what happened or to whom: without them the hook fails.
    """
    cpu_budget = cpu_budget or CpuBudget()
    checked: Batch = {**batch, "hooks": [], "failed": list(batch["failed"])}
    for hook in batch["hooks"]:
        if cpu_budget.defer_if_over_share(hook["store"], hook["entry_id"]):
            continue
        try:
            with cpu_budget.charge(hook["store"]):
                valid = _load(hook, now)
        except schemas.InvalidBody as invalid:
            error = BadHook("invalid", {"errors": invalid.errors})
            checked["failed"].append(build_failed_hook(hook, "validate", error))
        except Exception as error:  # noqa: BLE001 raised again unless it is the hook's fault
            checked["failed"].append(fail_hook(hook, "validate", error))
        else:
            checked["hooks"].append(valid)
    return checked


def _load(hook: DecodedHook, now: Callable[[], int]) -> ValidHook:
    row = get_event_row(hook["event"])
    loaded = schemas.load(row.schema, hook["body"], strict_paths(row))
    valid = build_valid_hook(
        hook,
        loaded.data,
        form=hook["form"],
        fingerprint=hook["fingerprint"],
        decoded_at=hook["decoded_at"],
        validated_at=now(),
    )
    valid["unknown"] = sorted(loaded.unknown)
    valid["aside"] = {path: ", ".join(messages) for path, messages in sorted(loaded.unreadable.items())}
    return valid
