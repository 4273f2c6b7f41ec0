"""Stores that were connected with the same keys of Cratejoy, before `connect` refused that."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.attention.item import AttentionContext, AttentionItem, Cause
from pipeline.cratejoy.shared_keys import find_shared_keys
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.alarms import OPERATOR

NAME = "cratejoy_keys_shared"
_TO_DO = "Keep one of them; for each other one `cratewire hooks remove --store NAME --forget-keys`."


def _find_items(sources: AttentionContext) -> Iterator[AttentionItem]:
    with reading(sources.engine) as db:
        groups = find_shared_keys(db, sources.settings.secret_keys)
    for stores in groups:
        names = ", ".join(stores)
        headline = f"{names} have the same keys of Cratejoy"
        effect = "They are one store there: each hook and each customer comes twice."
        yield AttentionItem(NAME, names, OPERATOR, headline, effect, _TO_DO, sources.now)


CAUSE = Cause(NAME, _find_items)
