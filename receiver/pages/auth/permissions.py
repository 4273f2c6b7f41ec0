"""Permissions of the current user. Stores and accounts of others are answered with 404."""

from __future__ import annotations

from flask import abort
from flask_security import current_user

from pipeline.ledger.accounts import OWNER, Role, VisibleStore, get_roles, list_visible_stores
from pipeline.ledger.engine import reading
from receiver.pages.db_session import get_context


def get_my_id() -> int:
    """Return the current user's id. Only for views that require a log-in."""
    user_id: int = current_user.id
    return user_id


def list_my_stores() -> list[VisibleStore]:
    """List the current user's stores by name."""
    with reading(get_context().engine) as conn:
        return list_visible_stores(conn, get_my_id())


def get_my_store(name: str) -> VisibleStore:
    """Return a store of the current user, or abort with 404."""
    return next((store for store in list_my_stores() if store.name == name), None) or abort(404)


def get_my_roles() -> dict[int, Role]:
    """Return the current user's role by account id."""
    with reading(get_context().engine) as conn:
        return get_roles(conn, get_my_id())


def require_owner(account_id: int) -> None:
    """Abort with 404 if the user is not in the account, with 403 if they are a reader."""
    role = get_my_roles().get(account_id)
    if role is None:
        abort(404)
    if role != OWNER:
        abort(403)
