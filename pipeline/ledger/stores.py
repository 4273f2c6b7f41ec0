"""Accounts and their stores. A store's name is in its hook URLs and message ids, so it never changes its owner."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, null, select, update

from pipeline.core.consent import GiftRecipientPolicy, MarketplacePolicy
from pipeline.core.errors import Misconfigured
from pipeline.ledger.connections import check_title
from pipeline.ledger.removals import call_off_removal, continue_versions
from pipeline.ledger.schema.core import Account, Store
from pipeline.ledger.sql.tables import insert_into

DEFAULT_ACCOUNT = "default"
_LISTS = ("forward_also", "not_forwarded", "marketplace_sources", "storefront_sources")


@dataclass(frozen=True, slots=True)
class StoreRow:
    """A store as the ledger has it."""

    id: int
    account_id: int
    name: str
    title: str | None
    token_version: int
    old_token_until: int | None
    currency: str
    forward_also: tuple[str, ...]
    not_forwarded: tuple[str, ...] | None
    forward_tests: bool
    record_only_since: int | None
    marketplace_policy: MarketplacePolicy
    marketplace_policy_by: str | None
    marketplace_policy_at: int | None
    marketplace_sources: tuple[str, ...] | None  # None: which `source` values mean Marketplace is not answered
    storefront_sources: tuple[str, ...] | None
    gift_recipients: GiftRecipientPolicy
    removed_at: int | None
    created_at: int

    @property
    def shown_name(self) -> str:
        """What people see: the title, or else the name."""
        return self.title or self.name

    def forwards(self, event: str, *, by_default: bool) -> bool:
        """Whether an event goes to the platforms. `by_default`: whether it does in a store that has changed nothing."""
        return event not in (self.not_forwarded or ()) and (by_default or event in self.forward_also)


def ensure_account(conn: Connection, name: str, now: int) -> int:
    """The id of the account with this name; created if there is none."""
    statement = insert_into(conn, Account).values(name=name, created_at=now)
    conn.execute(statement.on_conflict_do_nothing(index_elements=[Account.name]))
    return conn.execute(select(Account.id).where(Account.name == name)).scalar_one()


def save_store(conn: Connection, name: str, now: int, *, account: str = DEFAULT_ACCOUNT, **settings: Any) -> StoreRow:
    """Create the store, or change the given settings: `currency`, `forward_also`, `forward_tests`.

    A removal that was asked for is called off. Raise Misconfigured if the name belongs to another account, or if the
    store's rows are being deleted.
    """
    account_id = ensure_account(conn, account, now)
    if (known := find_store(conn, name)) is not None and known.account_id == account_id:
        call_off_removal(conn, known.id, now)
    version = continue_versions(conn, name) if known is None or known.removed_at is not None else 1
    statement = insert_into(conn, Store).values(name=name, account_id=account_id, token_version=version, created_at=now)
    conn.execute(statement.on_conflict_do_nothing(index_elements=[Store.name]))
    if settings:
        in_account = Store.name == name, Store.account_id == account_id
        conn.execute(update(Store).where(*in_account).values(_columns(**settings)))
    store = find_store(conn, name)
    if store is None or store.account_id != account_id:
        raise Misconfigured(f"the store name {name} is taken by another account")
    return store


def find_store(conn: Connection, name: str) -> StoreRow | None:
    """The store of this name."""
    return next(iter(_select_stores(conn, select(Store).where(Store.name == name))), None)


def get_store(conn: Connection, store_id: int) -> StoreRow | None:
    """The store with this id."""
    return next(iter(_select_stores(conn, select(Store).where(Store.id == store_id))), None)


def list_stores(conn: Connection) -> list[StoreRow]:
    """Every store, by name."""
    return _select_stores(conn, select(Store).order_by(Store.name))


def rename_store(conn: Connection, store_id: int, title: str | None) -> bool:
    """Set what people see instead of the store's name; None: its name. False if they see that already.

    Raise Misconfigured for an unusable title.
    """
    new = check_title(title)
    is_other = Store.id == store_id, Store.title.is_distinct_from(new)
    return bool(conn.execute(update(Store).where(*is_other).values(title=new)).rowcount)


def set_forwarded_events(
    conn: Connection, store_id: int, *, also: Collection[str], without: Collection[str], tests: bool
) -> None:
    """Set which events go to the platforms from now on: beyond the default ones, without some of these, and tests."""
    values = {
        "forward_also": sorted(set(also)),
        "not_forwarded": sorted(set(without)) or null(),
        "forward_tests": tests,
    }
    conn.execute(update(Store).where(Store.id == store_id).values(values))


def load_titles(conn: Connection) -> dict[str, str]:
    """Name -> title, of the stores that have a title."""
    query = select(Store.name, Store.title).where(Store.title.is_not(None))
    return {name: title for name, title in conn.execute(query) if title is not None}


def rotate_token(conn: Connection, store_id: int, old_until: int | None = None) -> int:
    """Issue new hook URLs and return their version. The previous URLs are valid until `old_until` (µs; None: now)."""
    values = {"token_version": Store.token_version + 1, "old_token_until": old_until}
    statement = update(Store).where(Store.id == store_id).values(values)
    return conn.execute(statement.returning(Store.token_version)).scalar_one()


def _columns(
    *, currency: str | None = None, forward_also: tuple[str, ...] | None = None, forward_tests: bool | None = None
) -> dict[str, Any]:
    also = None if forward_also is None else sorted(set(forward_also))
    given = {"currency": currency, "forward_also": also, "forward_tests": forward_tests}
    return {key: value for key, value in given.items() if value is not None}


def _select_stores(conn: Connection, query: Select[Store]) -> list[StoreRow]:
    rows = (row._asdict() for row in conn.execute(query))
    return [
        StoreRow(**{**row, **{name: None if row[name] is None else tuple(row[name]) for name in _LISTS}})
        for row in rows
    ]
