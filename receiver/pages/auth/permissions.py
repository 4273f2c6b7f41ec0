"""Who may see what. What is not somebody's answers like what does not exist."""

from __future__ import annotations

from flask import abort
from flask_security import current_user

from pipeline.ledger.accounts import OWNER, Role, VisibleStore, get_roles, list_visible_stores
from pipeline.ledger.engine import reading
from receiver.pages.db_session import get_context


def get_my_id() -> int:
    """Who asks; only where somebody must be logged in."""
    user_id: int = current_user.id
    return user_id


def list_my_stores() -> list[VisibleStore]:
    """The stores of whoever asks, by name."""
    with reading(get_context().engine) as db:
        return list_visible_stores(db, get_my_id())


def get_my_store(name: str) -> VisibleStore:
    """A store of whoever asks, or 404."""
    return next((store for store in list_my_stores() if store.name == name), None) or abort(404)


def get_my_roles() -> dict[int, Role]:
    """Account id -> the role of whoever asks."""
    with reading(get_context().engine) as db:
        return get_roles(db, get_my_id())


def require_owner(account_id: int) -> None:
    """404 for an account of others, 403 for a reader."""
    role = get_my_roles().get(account_id)
    if role is None:
        abort(404)
    if role != OWNER:
        abort(403)
