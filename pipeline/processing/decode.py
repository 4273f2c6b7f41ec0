"""First link: raw entries of the inbox -> hooks with a body. What cannot be read is taken out with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog

from pipeline.core.errors import BadHook
from pipeline.core.hooks import Batch, DecodedHook
from pipeline.decode import decode
from pipeline.inbox.entry import InboxEntry
from pipeline.processing.cpu_budget import CpuBudget
from pipeline.processing.errors import is_hook_fault
from pipeline.processing.failures import build_envelope, build_failed_hook, wrap_internal_error

log = structlog.get_logger(__name__)


def decode_batch(
    entries: Iterable[InboxEntry],
    token: int,
    now: Callable[[], int],
    is_revoked: Callable[[InboxEntry], bool] = lambda _entry: False,
    cpu_budget: CpuBudget | None = None,
) -> Batch:
    """Decode every entry, unless it came to an address that was revoked or its store has used up its share.

    `token` is the fence of the inbox's holder.
    """
    cpu_budget = cpu_budget or CpuBudget()
    batch = Batch(token=token, hooks=[], failed=[])
    for entry in entries:
        if cpu_budget.defer_if_over_share(entry.store, entry.entry_id):
            continue
        head = build_envelope(entry)
        if is_revoked(entry):
            batch["failed"].append(build_failed_hook(head, "decode", BadHook("token_revoked")))
            continue
        try:
            with cpu_budget.of(entry.store):
                decoded = decode(entry.raw, entry.query)
        except BadHook as error:
            batch["failed"].append(build_failed_hook(head, "decode", error))
            continue
        except Exception as error:
            if not is_hook_fault(error):
                raise
            log.warning("a hook could not be decoded", receipt=entry.receipt, error=type(error).__name__)
            batch["failed"].append(build_failed_hook(head, "decode", wrap_internal_error(error)))
            continue
        hook = DecodedHook(
            **head, form=decoded.form, fingerprint=decoded.fingerprint, decoded_at=now(), body=decoded.body
        )
        batch["hooks"].append(hook)
    return batch
