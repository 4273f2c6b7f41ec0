"""What is set about consent in a store, as pages and commands show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from pipeline.core.consent import COMMAND_LINE
from pipeline.ledger.schema.accounts import User
from pipeline.ledger.sources import SourceSample, list_samples
from pipeline.ledger.stores import StoreRow

MARKETPLACE_TEXTS = {
    "withhold": "withhold: nothing about them is sent",
    "profile_without_address": "profile without address: no mail address is sent",
    "forward": "forward: sent like all others; they have agreed",
}


@dataclass(frozen=True, slots=True)
class ConsentView:
    """What is set about consent in a store. `marketplace_sources` None: nothing was answered yet."""

    store: str
    marketplace: str
    marketplace_by: str | None
    marketplace_at: int | None
    marketplace_sources: Sequence[str] | None
    storefront_sources: Sequence[str] | None
    unanswered_sources: Sequence[str]
    met_sources: Sequence[SourceSample]
    gift_recipients: str

    @property
    def says(self) -> str:
        """What is done with Marketplace customers, in words."""
        return MARKETPLACE_TEXTS[self.marketplace]

    @property
    def questions(self) -> Sequence[SourceSample]:
        """Every value that was met or answered, with what was met of it."""
        met = {sample.value: sample for sample in self.met_sources}
        values = {*met, *(self.marketplace_sources or ()), *(self.storefront_sources or ())}
        return [met.get(value) or SourceSample(value, 0, 0, ()) for value in sorted(values)]

    def get_origin(self, value: str) -> str:
        """What a value means: `marketplace`, `storefront`, or "" if it is not answered."""
        lists = {"marketplace": self.marketplace_sources, "storefront": self.storefront_sources}
        return next((origin for origin, values in lists.items() if value in (values or ())), "")


def load_consent_view(conn: Connection, store: StoreRow) -> ConsentView:
    """Load what is set, and the values of `source` that were met."""
    answered = {*(store.marketplace_sources or ()), *(store.storefront_sources or ())}
    samples = list_samples(conn, store.id)
    return ConsentView(
        store.name,
        store.marketplace_policy,
        describe_decider(conn, store.marketplace_policy_by),
        store.marketplace_policy_at,
        store.marketplace_sources,
        store.storefront_sources,
        [sample.value for sample in samples if sample.value not in answered],
        samples,
        store.gift_recipients,
    )


def describe_decider(conn: Connection, decided_by: str | None) -> str | None:
    """Return who made a decision: an address, or the command line. `decided_by`: as the ledger has it."""
    if decided_by is None or decided_by == COMMAND_LINE:
        return decided_by and "the operator on the command line"
    is_id = decided_by.isascii() and decided_by.isdecimal()
    found = conn.execute(select(User.email).where(User.id == int(decided_by))).scalar() if is_id else None
    return found or f"a user who was removed (number {decided_by})"


def describe_example(example: Mapping[str, Any]) -> str:
    """Return an example of a value: `order 7015 of 2026-11-30`."""
    when = f" of {example['at']}" if example.get("at") else ""
    return f"{example['kind']} {example['id']}{when}"
