"""Permissions of the current user. What is of other accounts is answered with 404, what a role forbids with 403."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import abort, g
from flask_security import auth_required, current_user

from pipeline.core.roles import Permission, Role, is_allowed
from pipeline.ledger.accounts import VisibleStore, find_visible_store, get_roles, list_visible_stores
from pipeline.ledger.audit import Actor
from pipeline.ledger.engine import reading
from receiver.pages.db_session import get_context

R = TypeVar("R")
PERMISSION_ATTRIBUTE = "cratewire_permission"  # of a view; a test requires it of every view that is not public


def requires(permission: Permission) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """The view needs a log-in and, in the account of its address, a role that allows this.

    The account is that of the argument `name`, a store, or `account_id`. A view with neither checks what it shows or
    changes itself: with `list_my_stores`, or with `require`.
    """

    def decorate(view: Callable[..., R]) -> Callable[..., R]:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> R:
            if "name" in kwargs and not get_my_store(kwargs["name"]).allows(permission):
                abort(403)
            if "account_id" in kwargs:
                require(kwargs["account_id"], permission)
            return view(*args, **kwargs)

        guarded: Callable[..., R] = auth_required("session")(checked)
        setattr(guarded, PERMISSION_ATTRIBUTE, permission)
        return guarded

    return decorate


def get_my_id() -> int:
    """Return the current user's id. Only for views that require a log-in."""
    user_id: int = current_user.id
    return user_id


def get_actor() -> Actor:
    """Return the current user as the audit log names them."""
    return Actor("page", get_my_id())


def list_my_stores() -> list[VisibleStore]:
    """List the current user's stores by name. They are loaded once in a request."""
    if "all_my_stores" not in g:
        with reading(get_context().engine) as conn:
            g.all_my_stores = list_visible_stores(conn, get_my_id())
    stores: list[VisibleStore] = g.all_my_stores
    return stores


def get_my_store(name: str) -> VisibleStore:
    """Return a store of the current user, or abort with 404. It is loaded once in a request."""
    known: dict[str, VisibleStore] = g.setdefault("my_stores", {})
    if name not in known:
        with reading(get_context().engine) as conn:
            known[name] = find_visible_store(conn, get_my_id(), name) or abort(404)
    return known[name]


def get_my_roles() -> dict[int, Role]:
    """Return the current user's role by account id."""
    with reading(get_context().engine) as conn:
        return get_roles(conn, get_my_id())


def require(account_id: int, permission: Permission) -> None:
    """Abort with 404 if the user is not in the account, with 403 if their role does not allow this."""
    role = get_my_roles().get(account_id)
    if role is None:
        abort(404)
    if not is_allowed(role, permission):
        abort(403)
