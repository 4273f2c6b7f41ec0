"""Who may see what. What is not somebody's answers like what does not exist."""

from __future__ import annotations

from flask import abort
from flask_security import current_user

from pipeline.ledger.accounts import OWNER, Role, Seen, roles_of, stores_seen_by
from pipeline.ledger.engine import reading
from receiver.pages.sessions import here


def my_id() -> int:
    """Who asks; only where somebody must be logged in."""
    user_id: int = current_user.id
    return user_id


def my_stores() -> list[Seen]:
    """The stores of whoever asks, by name."""
    with reading(here().engine) as db:
        return stores_seen_by(db, my_id())


def my_store(name: str) -> Seen:
    """A store of whoever asks, or 404."""
    return next((store for store in my_stores() if store.name == name), None) or abort(404)


def my_roles() -> dict[int, Role]:
    """Account id -> the role of whoever asks."""
    with reading(here().engine) as db:
        return roles_of(db, my_id())


def require_owner(account_id: int) -> None:
    """404 for an account of others, 403 for a reader."""
    role = my_roles().get(account_id)
    if role is None:
        abort(404)
    if role != OWNER:
        abort(403)
