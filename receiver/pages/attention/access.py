"""Which items a user sees: those of their stores, and those of the installation if they run it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from flask import abort
from flask_security import current_user
from sqlalchemy import Connection

from pipeline.core.roles import Permission, is_allowed
from pipeline.ledger.accounts import VisibleStore, list_first_owner_emails
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.alarms import count_open_alarms, find_alarm, list_installation_alarms
from pipeline.ledger.monitoring.rows import COMMON_KINDS, AlarmRow, concerns
from receiver.pages.auth.permissions import get_my_id, list_my_stores
from receiver.pages.db_session import get_context


def is_operator(conn: Connection) -> bool:
    """Whether the user runs this installation: they get the operator's mails."""
    addresses = get_context().settings.operator_mail or list_first_owner_emails(conn)
    return current_user.email in addresses


def is_visible(store_id: int | None, kind: str, stores: Mapping[int, VisibleStore], *, operates: bool) -> bool:
    """Whether a user with these stores sees an alarm: what concerns them, and if they run the installation, its own."""
    return concerns(store_id, kind, stores) or (store_id is None and operates)


def list_common_kinds(stores: Mapping[int, VisibleStore], *, operates: bool) -> Collection[str] | None:
    """The kinds of alarms of no single store that a user with these stores sees; None: all."""
    return None if operates else COMMON_KINDS if stores else ()


def get_my_alarm(alarm_id: int, permission: Permission) -> AlarmRow:
    """Return an alarm that the user may see, or abort with 404; with 403 if their role does not allow this."""
    stores = by_id(list_my_stores())
    with reading(get_context().engine) as conn:
        row = find_alarm(conn, alarm_id)
        operates = is_operator(conn)
    if row is None or not is_visible(row.store_id, row.kind, stores, operates=operates):
        abort(404)
    if not may(permission, row.store_id, stores, operates=operates):
        abort(403)
    return row


def may(permission: Permission, store_id: int | None, stores: Mapping[int, VisibleStore], *, operates: bool) -> bool:
    """Whether the user's role in the store's account allows this. What concerns no store is for operators."""
    return operates if store_id is None else is_allowed(stores[store_id].role, permission)


def count_waiting(conn: Connection) -> int:
    """How many items the user's page lists that no one has set aside: the number in the header."""
    count = count_open_alarms(conn, get_my_id())
    installation = [row for row in list_installation_alarms(conn) if not row.is_set_aside]
    if not installation:
        return count
    stores = by_id(list_my_stores())
    operates = is_operator(conn)
    return count + sum(is_visible(None, row.kind, stores, operates=operates) for row in installation)


def by_id(stores: Sequence[VisibleStore]) -> dict[int, VisibleStore]:
    """The stores by their ids."""
    return {store.store_id: store for store in stores}
