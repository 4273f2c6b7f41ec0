"""The removal of stores: asked for, deleting, ended. `pipeline.operations.remove_store` does it step by step.

Until `begin_deletion` it can be called off. A row stays for ever, with the last version of the store's hook URLs.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update

from pipeline.core.errors import Misconfigured
from pipeline.ledger.connections import list_store_connections, pause_connection
from pipeline.ledger.schema.accounts import Invitation, Membership
from pipeline.ledger.schema.api_tokens import ApiToken
from pipeline.ledger.schema.audit import AuditEntry
from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.schema.core import Account, Store
from pipeline.ledger.schema.removals import StoreRemoval
from pipeline.ledger.schema.store_apis import StoreAPI
from pipeline.ledger.sql.tables import insert_into
from pipeline.ledger.store_apis import find_store_api, set_hook_registration

REMOVED = "the store is being removed"


@dataclass(frozen=True, slots=True)
class RemovalRow:
    """A removal as the ledger has it; the table says what its columns mean."""

    store: str
    store_id: int
    asked_at: int
    leaves_hooks: bool
    registered: bool
    next_at: int
    trouble: str | None
    deleting_since: int | None
    token_version: int | None
    ended_at: int | None

    @property
    def is_deleting(self) -> bool:
        """Whether it can no longer be called off."""
        return self.deleting_since is not None


def request_removal(conn: Connection, store_id: int, now: int, *, leaves_hooks: bool) -> None:
    """Ask for the removal of a store: its hooks at Cratejoy shall be removed. Asked again, it is due now."""
    name = conn.execute(select(Store.name).where(Store.id == store_id)).scalar_one()
    api = find_store_api(conn, store_id)
    values = {"store_id": store_id, "asked_at": now, "registered": api is not None and api.registers}
    again = {"leaves_hooks": leaves_hooks, "next_at": now}
    statement = insert_into(conn, StoreRemoval).values(store=name, **values, **again)
    conn.execute(statement.on_conflict_do_update(index_elements=[StoreRemoval.store], set_=again))
    if api is not None and api.registers:
        set_hook_registration(conn, store_id, now, registers=False)


def call_off_removal(conn: Connection, store_id: int, now: int) -> bool:
    """Keep the store: its hooks are registered again if they were before. False if it is too late, or not asked for."""
    open_ = StoreRemoval.store_id == store_id, StoreRemoval.deleting_since.is_(None)
    registered = conn.execute(delete(StoreRemoval).where(*open_).returning(StoreRemoval.registered)).scalar()
    if registered:
        set_hook_registration(conn, store_id, now, registers=True)
    return registered is not None


def begin_deletion(conn: Connection, store_id: int, now: int) -> None:
    """Refuse the store's hooks from now on, delete Cratejoy's keys, and stop everything that works on its rows."""
    update_store = update(Store).where(Store.id == store_id).returning(Store.token_version)
    version = conn.execute(update_store.values(removed_at=now, old_token_until=None)).scalar_one()
    values = {"deleting_since": now, "token_version": version, "trouble": None, "next_at": now}
    conn.execute(update(StoreRemoval).where(StoreRemoval.store_id == store_id).values(values))
    conn.execute(delete(StoreAPI).where(StoreAPI.store_id == store_id))
    conn.execute(delete(Backfill).where(Backfill.store_id == store_id))
    for connection in list_store_connections(conn, store_id):
        pause_connection(conn, connection.id, REMOVED, now)


def delete_store(conn: Connection, store_id: int, now: int) -> None:
    """Delete the store itself, which has no other rows any more, and its account if that is empty.

    Raise IntegrityError if a row of the store has been written meanwhile.
    """
    account_id = conn.execute(delete(Store).where(Store.id == store_id).returning(Store.account_id)).scalar()
    conn.execute(update(StoreRemoval).where(StoreRemoval.store_id == store_id).values(ended_at=now))
    if account_id is not None:
        delete_empty_account(conn, account_id)


def delete_empty_account(conn: Connection, account_id: int) -> bool:
    """Delete an account with neither stores nor members, its invitations, tokens and audit log; False if it has any."""
    conn.execute(update(Account).where(Account.id == account_id).values(name=Account.name))  # one removal at a time
    for table in (Store, Membership):
        if conn.execute(select(func.count()).where(table.account_id == account_id)).scalar_one():
            return False
    conn.execute(delete(Invitation).where(Invitation.account_id == account_id))
    conn.execute(delete(AuditEntry).where(AuditEntry.account_id == account_id))
    conn.execute(delete(ApiToken).where(ApiToken.account_id == account_id))
    conn.execute(delete(Account).where(Account.id == account_id))
    return True


def postpone_removal(conn: Connection, store_id: int, next_at: int, trouble: str | None) -> None:
    """Record why hooks could not be removed yet, and when that is tried again."""
    not_deleting = StoreRemoval.store_id == store_id, StoreRemoval.deleting_since.is_(None)
    conn.execute(update(StoreRemoval).where(*not_deleting).values(next_at=next_at, trouble=trouble))


def find_removal(conn: Connection, store_id: int) -> RemovalRow | None:
    """The removal of this store, if one was asked for."""
    row = conn.execute(select(StoreRemoval.__table__).where(StoreRemoval.store_id == store_id)).one_or_none()
    return None if row is None else RemovalRow(**row._asdict())


def list_open_removals(conn: Connection) -> list[RemovalRow]:
    """The removals that have not ended, the longest overdue first."""
    query = select(StoreRemoval.__table__).where(StoreRemoval.ended_at.is_(None))
    return [RemovalRow(**row._asdict()) for row in conn.execute(query.order_by(StoreRemoval.next_at))]


def find_removed_stores(conn: Connection, names: Collection[str]) -> set[str]:
    """Those of the names whose store was removed or is being deleted."""
    if not names:
        return set()
    removed = StoreRemoval.store.in_(names), StoreRemoval.deleting_since.is_not(None)
    return set(conn.execute(select(StoreRemoval.store).where(*removed)).scalars())


def load_removed_versions(conn: Connection) -> dict[str, int]:
    """Removed store -> the last version of its hook URLs, all of which are refused."""
    query = select(StoreRemoval.store, StoreRemoval.token_version).where(StoreRemoval.deleting_since.is_not(None))
    return {store: version or 0 for store, version in conn.execute(query)}


def continue_versions(conn: Connection, name: str) -> int:
    """The first version of the hook URLs of a new store: it may have the name of one that was removed.

    Raise Misconfigured while that one is being deleted.
    """
    row = conn.execute(select(StoreRemoval.__table__).where(StoreRemoval.store == name)).one_or_none()
    if row is None:
        return 1
    if row.ended_at is None:
        raise Misconfigured(f"{name}: {REMOVED}; see `cratewire stores list`")
    conn.execute(delete(StoreRemoval).where(StoreRemoval.store == name))
    return int(row.token_version) + 1
