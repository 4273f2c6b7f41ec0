"""Hooks with a valid token that are rejected: each is lost, until a person fixes what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.core.plural import pluralize
from pipeline.inbox.rejections import RejectedHooks, get_rejected_hooks
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.rows import MERCHANT, OPERATOR
from pipeline.ledger.schema.core import Store
from pipeline.monitoring.messages import format_time

NAME = "hooks_turned_away"
MAX_AGE_US = 86_400_000_000  # after the last one
_EFFECT = "They are lost. What Cratejoy's API shows of them is found later, if the store has keys of Cratejoy."
# Status -> who can fix it, what is wrong, what to do. Other statuses need nothing done.
_REMEDIES: dict[str, tuple[str, str, str]] = {
    "404": (
        MERCHANT,
        "come to an address that is not one of its hook URLs",
        (
            "Compare the URLs in Cratejoy with those of `cratewire hooks list --store {store}`, and look whether a "
            "proxy changes the path."
        ),
    ),
    "405": (
        MERCHANT,
        "are sent neither by POST nor by GET",
        "Register them in Cratejoy as POST: `cratewire hooks sync --store {store}` does it.",
    ),
    "413": (OPERATOR, "are too large", "Raise CRATEWIRE_MAX_HOOK_BYTES, and the proxy's limit."),
    "415": (
        MERCHANT,
        "are packed or written in a way that is not read",
        "Have them sent as JSON or as a form, plain or packed with gzip or deflate.",
    ),
    "429": (
        OPERATOR,
        "come faster than one store may send",
        (
            "Look what sends them: a loop at the store, or another sender who has its URLs (`cratewire hooks rotate "
            "--store {store}` replaces them). If all are wanted, raise CRATEWIRE_STORE_HOOKS_PER_MINUTE."
        ),
    ),
}


def _find_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    rejected = [row for row in get_rejected_hooks(context.redis, now - MAX_AGE_US) if row.status in _REMEDIES]
    if not rejected:
        return
    with reading(context.engine) as conn:
        stores = {row.name: row.id for row in conn.execute(select(Store.name, Store.id))}
    for row in sorted(rejected, key=lambda row: (row.store, row.status)):
        if row.store in stores:
            yield _build_item(row, stores[row.store])


def _build_item(rejected: RejectedHooks, store_id: int) -> AttentionItem:
    audience, what, to_do = _REMEDIES[rejected.status]
    count = pluralize(rejected.count, "hook")
    return AttentionItem(
        NAME,
        f"{rejected.store} {rejected.status}",
        audience,
        f"{rejected.store}: hooks {what}",
        _EFFECT,
        to_do.format(store=rejected.store),
        rejected.last_at,
        rejected.store,
        store_id,
        (f"{count} answered with {rejected.status}, the last at {format_time(rejected.last_at)}.",),
        rejected.status,
        worse_at=rejected.last_at,
    )


CAUSE = Cause(NAME, _find_items)
