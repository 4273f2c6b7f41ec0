"""Stores that were connected with the same keys of Cratejoy, before `connect` refused that."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.cratejoy.shared_keys import find_shared_keys
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.alarms import OPERATOR

NAME = "cratejoy_keys_shared"
_TO_DO = "Keep one of them; for each other one `cratewire hooks remove --store NAME --forget-keys`."


def _find_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    with reading(context.engine) as db:
        groups = find_shared_keys(db, context.settings.secret_keys)
    for stores in groups:
        names = ", ".join(stores)
        headline = f"{names} have the same keys of Cratejoy"
        effect = "They are one store there: each hook and each customer comes twice."
        yield AttentionItem(NAME, names, OPERATOR, headline, effect, _TO_DO, now)


CAUSE = Cause(NAME, _find_items)
