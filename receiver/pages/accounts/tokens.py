"""The tokens of an account's API: owners make them, see them once, and revoke them."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pipeline.core.errors import Misconfigured
from pipeline.ledger.api_tokens import (
    MAX_DAYS,
    SCOPE_TEXTS,
    SCOPES,
    NewToken,
    create_token,
    list_tokens,
    revoke_token,
)
from pipeline.ledger.engine import reading, writing
from receiver.pages.auth.permissions import get_actor, get_my_id, list_my_stores, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence
from receiver.row_ids import parse_row_id

blueprint = Blueprint("tokens", __name__)

DEFAULT_DAYS = 90


@blueprint.get("/accounts/<int:account_id>/tokens")
@requires("manage_tokens")
def show(account_id: int) -> str:
    """Show the tokens, and the form for a new one."""
    return _render(account_id)


@blueprint.post("/accounts/<int:account_id>/tokens")
@requires("manage_tokens")
def new(account_id: int) -> ResponseReturnValue:
    """Make a token and show it, this once."""
    context, form = get_context(), request.form
    scopes = [scope for scope in SCOPES if scope in form.getlist("scope")]
    days = parse_row_id(form.get("days", "")) or 0
    wanted = NewToken(account_id, form.get("name", ""), scopes, days, get_my_id())
    try:
        with writing(context.engine) as conn:
            text = create_token(conn, context.settings.secret_keys, wanted, context.rng, get_actor(), context.now())
    except Misconfigured as error:
        return _render(account_id, trouble=sentence(str(error)), given=wanted), 422
    return _render(account_id, made=text)


@blueprint.post("/accounts/<int:account_id>/tokens/<int:token_id>/revoke")
@requires("manage_tokens")
def revoke(account_id: int, token_id: int) -> ResponseReturnValue:
    """Revoke a token at once."""
    context = get_context()
    with writing(context.engine) as conn:
        done = revoke_token(conn, account_id, token_id, get_actor(), context.now())
    flash("The token is revoked." if done else "The token was revoked before.", "success" if done else "info")
    return redirect(url_for("tokens.show", account_id=account_id))


def _render(
    account_id: int, *, made: str | None = None, trouble: str | None = None, given: NewToken | None = None
) -> str:
    context = get_context()
    with reading(context.engine) as conn:
        tokens = list_tokens(conn, [account_id])
    return render_template(
        "tokens.html",
        account_id=account_id,
        stores=[store.shown_name for store in list_my_stores() if store.account_id == account_id],
        tokens=tokens,
        now=context.now(),
        made=made,
        trouble=trouble,
        given=given or NewToken(account_id, "", ("read",), DEFAULT_DAYS),
        scopes=SCOPE_TEXTS,
        max_days=MAX_DAYS,
        root=request.script_root,
    )
