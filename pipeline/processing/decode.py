"""First link: inbox entries -> hooks with a decoded body. Unreadable hooks are taken out of the batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pipeline.core.errors import BadHook
from pipeline.core.hooks import Batch, DecodedHook, build_failed_hook
from pipeline.decode import decode
from pipeline.inbox.entry import InboxEntry
from pipeline.processing.cpu_budget import CpuBudget
from pipeline.processing.failures import fail_hook


def decode_batch(
    entries: Iterable[InboxEntry],
    token: int,
    now: Callable[[], int],
    is_revoked: Callable[[InboxEntry], bool] = lambda _entry: False,
    cpu_budget: CpuBudget | None = None,
) -> Batch:
    """Decode the entries, except those of revoked URLs and of stores that have used up their CPU share.

    `token` is the fencing token of the chain lease.
    """
    cpu_budget = cpu_budget or CpuBudget()
    batch = Batch(token=token, hooks=[], failed=[])
    for entry in entries:
        if cpu_budget.defer_if_over_share(entry.store, entry.entry_id):
            continue
        if is_revoked(entry):
            batch["failed"].append(build_failed_hook(entry.envelope, "decode", BadHook("token_revoked")))
            continue
        try:
            with cpu_budget.charge(entry.store):
                decoded = decode(entry.raw, entry.query)
        except Exception as error:  # noqa: BLE001 raised again unless it is the hook's fault
            batch["failed"].append(fail_hook(entry.envelope, "decode", error))
            continue
        batch["hooks"].append(
            DecodedHook(
                **entry.envelope,
                form=decoded.form,
                fingerprint=decoded.fingerprint,
                decoded_at=now(),
                body=decoded.body,
            )
        )
    return batch
