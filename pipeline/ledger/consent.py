"""The settings of a store about consent, each change with who made it and when. No row of a decision ever changes.

`pipeline.operations.consent` has what pages and commands call, since a changed setting has consequences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, update

from pipeline.core.consent import GiftRecipientPolicy, MarketplacePolicy
from pipeline.ledger.schema.consent import ConsentDecision
from pipeline.ledger.schema.core import Store

DecisionKind = Literal["marketplace_policy", "sources", "gift_recipients", "release"]


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A decision as the ledger has it. `detail` names what was chosen, and under "before" what was valid until then."""

    id: int
    store_id: int
    person_id: int | None
    kind: DecisionKind
    decided_by: str
    decided_at: int
    detail: dict[str, Any]


def save_marketplace_policy(
    conn: Connection, store_id: int, policy: MarketplacePolicy, decided_by: str, now: int
) -> None:
    """Save the policy, who chose it and when; the decision is recorded even if it confirms what was valid before."""
    before = conn.execute(select(Store.marketplace_policy).where(Store.id == store_id)).scalar_one()
    values = {"marketplace_policy": policy, "marketplace_policy_by": decided_by, "marketplace_policy_at": now}
    conn.execute(update(Store).where(Store.id == store_id).values(values))
    detail = {"policy": policy, "before": before}
    record_decision(conn, store_id, "marketplace_policy", detail, decided_by=decided_by, now=now)


def save_sources(
    conn: Connection, store_id: int, marketplace: list[str], storefront: list[str], decided_by: str, now: int
) -> None:
    """Save which `source` values mean Marketplace and which the store's own shop, and who said so."""
    lists = Store.marketplace_sources, Store.storefront_sources
    before = conn.execute(select(*lists).where(Store.id == store_id)).one()
    values = {"marketplace_sources": marketplace, "storefront_sources": storefront}
    conn.execute(update(Store).where(Store.id == store_id).values(values))
    earlier = {"marketplace": before.marketplace_sources, "storefront": before.storefront_sources}
    detail = {"marketplace": marketplace, "storefront": storefront, "before": earlier}
    record_decision(conn, store_id, "sources", detail, decided_by=decided_by, now=now)


def save_gift_recipients(
    conn: Connection, store_id: int, policy: GiftRecipientPolicy, decided_by: str, now: int
) -> None:
    """Save whether gift recipients get a profile, and who said so."""
    before = conn.execute(select(Store.gift_recipients).where(Store.id == store_id)).scalar_one()
    conn.execute(update(Store).where(Store.id == store_id).values(gift_recipients=policy))
    detail = {"policy": policy, "before": before}
    record_decision(conn, store_id, "gift_recipients", detail, decided_by=decided_by, now=now)


def record_decision(  # noqa: PLR0913 who decided what, about whom, and when
    conn: Connection,
    store_id: int,
    kind: DecisionKind,
    detail: Mapping[str, Any],
    *,
    decided_by: str,
    now: int,
    person_id: int | None = None,
) -> int:
    """Record a decision; returns its id."""
    values = {
        "store_id": store_id,
        "person_id": person_id,
        "kind": kind,
        "decided_by": decided_by,
        "decided_at": now,
        "detail": dict(detail),
    }
    return conn.execute(insert(ConsentDecision).values(values).returning(ConsentDecision.id)).scalar_one()


def list_decisions(conn: Connection, store_id: int, *, person_id: int | None = None) -> list[DecisionRow]:
    """The store's decisions, or those about one person, the newest first."""
    query = select(ConsentDecision).where(ConsentDecision.store_id == store_id)
    if person_id is not None:
        query = query.where(ConsentDecision.person_id == person_id)
    table = ConsentDecision.__table__.c
    rows = conn.execute(query.with_only_columns(*table).order_by(ConsentDecision.id.desc()))
    return [DecisionRow(**row._asdict()) for row in rows]
