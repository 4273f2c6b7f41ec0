"""Second link: bodies -> loaded data, by the schema the event's row names. Errors are kept by field."""

from __future__ import annotations

from collections.abc import Callable

import structlog

import schemas
from pipeline.chain.blame import may_blame_a_hook
from pipeline.chain.cost import Costs
from pipeline.chain.heads import failed, internal
from pipeline.errors import BadHook
from pipeline.events.strict import strict_paths
from pipeline.events.table import row_of
from pipeline.model import Batch, DecodedHook, ValidHook, head_of

log = structlog.get_logger(__name__)


def validate_batch(batch: Batch, now: Callable[[], int], costs: Costs | None = None) -> Batch:
    """Load every body, unless its store has used up its share.

    An unknown event passes as it is; unknown keys are named, never fatal. Fields that cannot be read are set aside,
    unless they say what happened or to whom.
    """
    costs = costs or Costs()
    checked = Batch(token=batch["token"], hooks=[], failed=list(batch["failed"]))
    for hook in batch["hooks"]:
        if costs.leaves(hook["store"], hook["entry_id"]):
            continue
        try:
            with costs.of(hook["store"]):
                loaded = _load(hook, now)
            checked["hooks"].append(loaded)
        except BadHook as error:
            checked["failed"].append(failed(head_of(hook), "validate", error))
        except schemas.Invalid as invalid:
            refused = BadHook("invalid", {"errors": invalid.errors})
            checked["failed"].append(failed(head_of(hook), "validate", refused))
        except Exception as error:
            if not may_blame_a_hook(error):
                raise
            log.warning("a hook could not be validated", receipt=hook["receipt"], error=type(error).__name__)
            checked["failed"].append(failed(head_of(hook), "validate", internal(error)))
    return checked


def _load(hook: DecodedHook, now: Callable[[], int]) -> ValidHook:
    row = row_of(hook["event"])
    loaded = schemas.load(row.schema, hook["body"], strict_paths(row))
    return ValidHook(
        **head_of(hook),
        form=hook["form"],
        fingerprint=hook["fingerprint"],
        decoded_at=hook["decoded_at"],
        validated_at=now(),
        data=loaded.data,
        unknown=sorted(loaded.unknown),
        aside={path: ", ".join(messages) for path, messages in sorted(loaded.aside.items())},
    )
