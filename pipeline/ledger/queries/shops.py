"""An account's stores, a page at a time, with what is set and how they stand at Cratejoy."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.store_apis import StoreAPI


@dataclass(frozen=True, slots=True)
class ShopSummary:
    """A store of an account. Times in µs. `cratejoy_keys`: active, refused, or None if none are saved."""

    id: int
    name: str
    title: str | None
    currency: str
    forward_also: tuple[str, ...]
    forward_tests: bool
    marketplace_policy: str
    gift_recipients: str
    cratejoy_keys: str | None
    registers_hooks: bool
    hooks_audited_at: int | None
    is_being_removed: bool
    created_at: int


def list_shops(conn: Connection, account_id: int, *, after: int = 0, limit: int = 50) -> list[ShopSummary]:
    """A page of an account's stores, oldest first; the next page begins `after` the last store's id."""
    return _load(conn, Store.account_id == account_id, Store.id > after, limit=limit)


def get_shop(conn: Connection, account_id: int, name: str) -> ShopSummary | None:
    """The store of an account with this name."""
    return next(iter(_load(conn, Store.account_id == account_id, Store.name == name, limit=1)), None)


def _load(conn: Connection, *conditions: ColumnElement[bool], limit: int) -> list[ShopSummary]:
    columns = (Store.id, Store.name, Store.title, Store.currency, Store.forward_also, Store.forward_tests)
    settings = (Store.marketplace_policy, Store.gift_recipients, Store.removed_at, Store.created_at)
    query = select(*columns, *settings, StoreAPI.status, StoreAPI.registers, StoreAPI.audited_at)
    query = query.join(StoreAPI, StoreAPI.store_id == Store.id, isouter=True).where(*conditions)
    return [
        ShopSummary(
            id=row.id,
            name=row.name,
            title=row.title,
            currency=row.currency,
            forward_also=tuple(row.forward_also),
            forward_tests=row.forward_tests,
            marketplace_policy=row.marketplace_policy,
            gift_recipients=row.gift_recipients,
            cratejoy_keys=row.status,
            registers_hooks=bool(row.registers),
            hooks_audited_at=row.audited_at,
            is_being_removed=row.removed_at is not None,
            created_at=row.created_at,
        )
        for row in conn.execute(query.order_by(Store.id).limit(limit))
    ]
