"""First link: raw entries of the inbox -> hooks with a body. What cannot be read is taken out with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog

from pipeline.chain.blame import may_blame_a_hook
from pipeline.chain.cost import Costs
from pipeline.chain.heads import failed, head_of_entry, internal
from pipeline.decode import decode
from pipeline.errors import BadHook
from pipeline.inbox.raw_hook import InboxEntry
from pipeline.model import Batch, DecodedHook

log = structlog.get_logger(__name__)


def decode_batch(
    entries: Iterable[InboxEntry],
    token: int,
    now: Callable[[], int],
    is_revoked: Callable[[InboxEntry], bool] = lambda _entry: False,
    costs: Costs | None = None,
) -> Batch:
    """Decode every entry, unless it came to an address that was revoked or its store has used up its share.

    `token` is the fence of the inbox's holder.
    """
    costs = costs or Costs()
    batch = Batch(token=token, hooks=[], failed=[])
    for entry in entries:
        if costs.leaves(entry.store, entry.entry_id):
            continue
        head = head_of_entry(entry)
        if is_revoked(entry):
            batch["failed"].append(failed(head, "decode", BadHook("token_revoked")))
            continue
        try:
            with costs.of(entry.store):
                decoded = decode(entry.raw, entry.query)
        except BadHook as error:
            batch["failed"].append(failed(head, "decode", error))
            continue
        except Exception as error:
            if not may_blame_a_hook(error):
                raise
            log.warning("a hook could not be decoded", receipt=entry.receipt, error=type(error).__name__)
            batch["failed"].append(failed(head, "decode", internal(error)))
            continue
        hook = DecodedHook(
            **head, form=decoded.form, fingerprint=decoded.fingerprint, decoded_at=now(), body=decoded.body
        )
        batch["hooks"].append(hook)
    return batch
