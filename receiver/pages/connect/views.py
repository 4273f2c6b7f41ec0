"""The pages of the connect form: the form itself and the page after it."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from flask import Blueprint, Flask, abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user, hash_password
from redis import RedisError

from pipeline.core.roles import is_allowed
from pipeline.cratejoy.factory import open_client
from pipeline.destinations import DESTINATIONS
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.backfills import find_last_backfill
from pipeline.ledger.engine import reading
from pipeline.ledger.stores import find_store, get_store
from receiver.pages.auth.mail_links import remember_registered
from receiver.pages.auth.permissions import get_my_id, get_my_roles, list_my_stores
from receiver.pages.connect.credential_check import (
    CredentialTries,
    FormRejected,
    check_cratejoy,
    check_platform,
    count_try,
)
from receiver.pages.connect.form import STEPS, ConnectForm, build_form
from receiver.pages.connect.origins import load_questions, read_questions
from receiver.pages.connect.prefill import fill_missing_secrets, load_saved_fields, prefill_form
from receiver.pages.connect.remembered_secrets import remember_secrets, restore_secrets
from receiver.pages.connect.save import Merchant, build_uniquifier, is_already_saved, save_form
from receiver.pages.connect.steps import check_account, check_step
from receiver.pages.db_session import get_context

log = structlog.get_logger(__name__)
blueprint = Blueprint("connect", __name__)

UNAVAILABLE_TEXT = "A part of this installation does not answer at the moment. Nothing was saved; please try again."


@blueprint.route("/connect", methods=["GET", "POST"])
def show() -> ResponseReturnValue:
    """Show the form. When it is sent, check its keys and save all or nothing."""
    is_logged_in = bool(current_user.is_authenticated)
    if not is_logged_in and get_context().settings.registration != "open":
        return redirect(url_for("security.login"))
    form = build_form(
        _list_owned_accounts() if is_logged_in else None, anywhere=get_context().settings.connect_anywhere
    )
    step = request.form.get("check")
    if form.is_submitted():
        form.questions = load_questions(get_context(), _list_answered(form))
        restore_secrets(form, *_get_browser_key())
        if is_logged_in:
            _fill_missing(form)
            _skip_known(form)
        if step is not None and step in STEPS:
            check_step(form, step)
        elif form.validate() and _try_connect(form, is_logged_in=is_logged_in):
            return _redirect_after_connect(form, is_logged_in=is_logged_in)
        remember_secrets(form, *_get_browser_key())
    elif is_logged_in:
        _prefill(form)
        _skip_known(form)
    if step in STEPS and request.headers.get("HX-Request"):
        return render_template("connect_checked.html", form=form, step=step, destinations=DESTINATIONS)
    page = render_template("connect.html", form=form, destinations=DESTINATIONS, consent=form.questions, step=step)
    return page, 422 if form.errors else 200


@blueprint.get("/connected")
def connected() -> ResponseReturnValue:
    """Show the next steps after a new merchant has connected."""
    email = session.get("connected")
    if not email:
        return redirect(url_for("home.show"))
    return render_template("connected.html", email=email)


def register_pages(app: Flask) -> None:
    """Register the pages with their limit of key checks."""
    app.register_blueprint(blueprint)
    app.extensions["cratewire.tries"] = CredentialTries(app.extensions["cratewire.site"].now)


def _try_connect(form: ConnectForm, *, is_logged_in: bool) -> bool:
    """Connect. Returns whether it succeeded; if not, the form has the errors, or questions to be answered first."""
    try:
        return _connect(form, is_logged_in=is_logged_in)
    except FormRejected as error:
        form.add_error(error.field, str(error))
    except RedisError as error:
        log.warning("a connect form failed", error=type(error).__name__)
        form.add_error("submit", UNAVAILABLE_TEXT)
    return False


def _connect(form: ConnectForm, *, is_logged_in: bool) -> bool:
    """Check the form, then Cratejoy, then the platform, then save. Raises FormRejected.

    Returns False, with questions in the form, if the last orders raise some that were not asked yet.
    """
    context = get_context()
    merchant = _get_current_merchant(form) if is_logged_in else _build_new_merchant(form)
    if not is_logged_in:
        remember_registered(merchant.uniquifier)
    if is_already_saved(context, merchant):
        return True
    count_try(f"Client ID {form.client_id.data}")
    credentials = check_cratejoy(form, lambda keys: open_client(context, keys))
    checked = check_platform(form, context.http)
    if form.questions is None:
        form.questions = read_questions(context, credentials, _list_answered(form))
        if form.questions.questions:
            return False
    try:
        save_form(context, form, merchant, credentials, checked)
    except FormRejected:
        if not is_already_saved(context, merchant):  # meanwhile, by the same form sent a moment before
            raise
    return True


def _get_current_merchant(form: ConnectForm) -> Merchant:
    owned = _list_owned_accounts()
    account_id = form.account_id.data if "account_id" in form else next(iter(owned), None)
    if account_id is not None and account_id not in owned:
        abort(403)
    return Merchant(user_id=get_my_id(), account_id=account_id)


def _build_new_merchant(form: ConnectForm) -> Merchant:
    email, password = check_account(form)
    return Merchant(
        email=email, password_hash=hash_password(password), uniquifier=build_uniquifier(get_context(), form, email)
    )


def _get_browser_key() -> tuple[Sequence[str], str, int]:
    """Return what secrets are remembered with: secret keys, browser and time."""
    return get_context().settings.secret_keys, session.get("csrf_token", ""), get_context().now()


def _list_owned_accounts() -> dict[int, str]:
    """Return the accounts to which the user may connect stores, described by their stores."""
    stores = list_my_stores()
    owned = [account_id for account_id, role in get_my_roles().items() if is_allowed(role, "change_settings")]
    names_by_account = {
        account_id: [store.shown_name for store in stores if store.account_id == account_id] for account_id in owned
    }
    return {
        account_id: f"with {', '.join(names)}" if names else "without stores"
        for account_id, names in names_by_account.items()
    }


def _find_own_store(name: str | None) -> VisibleStore | None:
    """Return the store of this name if the current user owns it; else None."""
    store = next((store for store in list_my_stores() if store.name == name), None)
    return store if store is not None and store.account_id in _list_owned_accounts() else None


def _list_answered(form: ConnectForm) -> list[str]:
    """Return the values of `source` whose meaning is known, if the store is the current user's."""
    store = _find_own_store(form.store.data) if current_user.is_authenticated else None
    with reading(get_context().engine) as conn:
        row = get_store(conn, store.store_id) if store else None
    return [*(row.marketplace_sources or ()), *(row.storefront_sources or ())] if row else []


def _prefill(form: ConnectForm) -> None:
    """Prefill the form of a store whose connection is to be changed."""
    store = _find_own_store(request.args.get("store"))
    if store is None:
        return
    with reading(get_context().engine) as conn:
        row = find_store(conn, store.name)
    form.store.data, form.currency.data = store.name, row.currency if row else form.currency.data
    prefill_form(form, load_saved_fields(get_context(), store.store_id))
    if "account_id" in form:
        form.account_id.data = store.account_id


def _fill_missing(form: ConnectForm) -> None:
    """Fill the secrets that were left empty from the saved ones."""
    store = _find_own_store(form.store.data)
    if store is not None:
        fill_missing_secrets(form, load_saved_fields(get_context(), store.store_id))


def _skip_known(form: ConnectForm) -> None:
    """Do not ask when to read the customers of a store whose customers are being read, or were."""
    store = _find_own_store(form.store.data)
    if store is None:
        return
    with reading(get_context().engine) as conn:
        if find_last_backfill(conn, store.store_id) is not None:
            del form["reads_customers"]


def _redirect_after_connect(form: ConnectForm, *, is_logged_in: bool) -> ResponseReturnValue:
    if is_logged_in:
        reads = "reads_customers" not in form or form.reads_customers.data == "now"
        customers = "the customers are being read" if reads else "the customers are read once you press Resume"
        flash(f"Connected. The hooks are being registered, and {customers}.", "success")
        return redirect(url_for("home.store", name=form.store.data))
    session["connected"] = form.email.data
    return redirect(url_for("connect.connected"))
