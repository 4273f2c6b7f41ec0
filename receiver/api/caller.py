"""Who calls: the token of a request, its scope, and the shops it may see. No cookie is read or set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import structlog
from flask import current_app, g, request
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from pipeline.context import Context
from pipeline.ledger.api_tokens import PREFIX, USE_INTERVAL_US, Bearer, Scope, authenticate, note_use
from pipeline.ledger.audit import Actor, record_action
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema.core import Store
from receiver.api.problems import Problem, not_found

REALM = 'Bearer realm="cratewire"'
CONTEXT_EXTENSION = "cratewire.context"
_SCOPE_ATTRIBUTE = "required_scope"
log = structlog.get_logger(__name__)
View = TypeVar("View", bound=Callable[..., Any])


def get_context() -> Context:
    """Return the context of the API."""
    context: Context = current_app.extensions[CONTEXT_EXTENSION]
    return context


def get_caller() -> Bearer:
    """Return the caller of this request. Only for views that need a scope."""
    caller: Bearer = g.caller
    return caller


def needs(scope: Scope) -> Callable[[View], View]:
    """Mark a view with the scope that its callers need. A view without one answers without a token."""

    def mark(view: View) -> View:
        setattr(view, _SCOPE_ATTRIBUTE, scope)
        return view

    return mark


def get_required_scope(endpoint: str | None) -> Scope | None:
    """Return the scope that a view needs; None: it needs no token."""
    view = current_app.view_functions.get(endpoint or "")
    return cast("Scope | None", getattr(view, _SCOPE_ATTRIBUTE, None))


def identify_caller() -> Bearer:
    """Return whose token the request has. Raises Problem with 401 if it has none, or one that does not count."""
    header = request.headers.get("Authorization", "")
    scheme, _, text = header.partition(" ")
    if not header:
        raise Problem(401, f"Send a token: `Authorization: Bearer {PREFIX}…`.", {"WWW-Authenticate": REALM})
    context = get_context()
    caller = None
    if scheme.lower() == "bearer":
        with reading(context.engine) as conn:
            caller = authenticate(conn, context.settings.secret_keys, text.strip(), context.now())
    if caller is None:
        challenge = f'{REALM}, error="invalid_token"'
        raise Problem(401, "The token is not known, has ended or was revoked.", {"WWW-Authenticate": challenge})
    return caller


def require_scope(caller: Bearer, scope: Scope) -> None:
    """Raise Problem with 403 if the caller lacks the scope."""
    if scope not in caller.scopes:
        challenge = f'{REALM}, error="insufficient_scope", scope="{scope}"'
        raise Problem(403, f"The token lacks the scope `{scope}`.", {"WWW-Authenticate": challenge})


def record_use(context: Context, caller: Bearer) -> None:
    """Write the time of the use, at most once a minute. A database that takes no writes does not fail the request."""
    now = context.now()
    if caller.last_used_at is not None and now - caller.last_used_at < USE_INTERVAL_US:
        return
    try:
        with writing(context.engine) as conn:
            note_use(conn, caller.token_id, now)
    except SQLAlchemyError as error:
        log.warning("the use of a token was not recorded", token=caller.token_id, error=type(error).__name__)


def load_shops(conn: Connection, name: str | None = None) -> dict[int, str]:
    """Return the caller's shops, id -> name, or only the named one. Raises Problem with 404 for any other name."""
    query = select(Store.id, Store.name).where(Store.account_id == get_caller().account_id).order_by(Store.name)
    shops = {row.id: row.name for row in conn.execute(query if name is None else query.where(Store.name == name))}
    if name is not None and not shops:
        raise not_found()
    return shops


def find_shop(conn: Connection, name: str) -> int:
    """Return the id of a shop of the caller. Raises Problem with 404."""
    return next(iter(load_shops(conn, name)))


def get_actor() -> Actor:
    """Return the caller as the audit log names them."""
    caller = get_caller()
    return Actor("api", caller.user_id, caller.token_id)


def record(conn: Connection, action: str, store_id: int | None = None, **about: int | str) -> None:
    """Write what the caller does into the audit log."""
    record_action(
        conn,
        account_id=get_caller().account_id,
        actor=get_actor(),
        action=action,
        at=get_context().now(),
        store_id=store_id,
        about=about,
    )


def may_see_people() -> bool:
    """Return whether the caller may see who people are."""
    return "read-people" in get_caller().scopes
