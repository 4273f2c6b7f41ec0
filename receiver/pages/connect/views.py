"""The pages of connecting: the form, and what comes after it."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from flask import Blueprint, Flask, abort, current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user, hash_password
from redis import RedisError

from pipeline.cratejoy.opening import open_with
from pipeline.destinations import DESTINATIONS
from pipeline.ledger.accounts import OWNER, Seen
from pipeline.ledger.engine import reading
from pipeline.ledger.stores import find_store
from receiver.pages.connect.form import ConnectForm, form_for
from receiver.pages.connect.keeping import keep, restore
from receiver.pages.connect.saved import complete, fill_in, saved_of
from receiver.pages.connect.saving import Merchant, save_form, saved_before, uniquifier_of
from receiver.pages.connect.trying import Refused, Tries, try_cratejoy, try_platform
from receiver.pages.crowd import network_here
from receiver.pages.links import note_registered
from receiver.pages.rights import my_id, my_roles, my_stores
from receiver.pages.sessions import here

log = structlog.get_logger(__name__)
blueprint = Blueprint("connect", __name__)

NOT_NOW = "A part of this installation does not answer at the moment. Nothing was saved; please try again."


@blueprint.route("/connect", methods=["GET", "POST"])
def show() -> ResponseReturnValue:
    """The form. Sent, it tries everything in it in order, and saves all or nothing."""
    known = bool(current_user.is_authenticated)
    if not known and here().settings.registration != "open":
        return redirect(url_for("security.login"))
    form = form_for(_owned() if known else None, anywhere=here().settings.connect_anywhere)
    if form.is_submitted():
        restore(form, *_browser())
        if known:
            _complete(form)
        if form.validate() and _connected(form, known=known):
            return _done(form, known=known)
        keep(form, *_browser())
    elif known:
        _fill_in(form)
    return render_template("connect.html", form=form, destinations=DESTINATIONS), 422 if form.errors else 200


@blueprint.get("/connected")
def connected() -> ResponseReturnValue:
    """What somebody who has just connected does next."""
    email = session.get("connected")
    if not email:
        return redirect(url_for("home.show"))
    return render_template("connected.html", email=email)


def prepare(app: Flask) -> None:
    """Register the pages, with their counter of tries."""
    app.register_blueprint(blueprint)
    app.extensions["cratewire.tries"] = Tries(app.extensions["cratewire.site"].now)


def _connected(form: ConnectForm, *, known: bool) -> bool:
    """Whether all went well; if not, the form says why."""
    try:
        _connect(form, known=known)
    except Refused as refused:
        form.blame(refused.field, str(refused))
    except RedisError as error:
        log.warning("a connect form could not go on", error=type(error).__name__)
        form.blame("submit", NOT_NOW)
    return not form.errors


def _connect(form: ConnectForm, *, known: bool) -> None:
    """First what costs nothing, then Cratejoy, then the platform, then the ledger. Raises Refused."""
    site = here()
    merchant = _somebody_known(form) if known else _somebody_new(form)
    if not known:
        note_registered(merchant.uniquifier)
    if saved_before(site, merchant):
        return
    current_app.extensions["cratewire.tries"].take(network_here(), f"Client ID {form.client_id.data}")
    credentials = try_cratejoy(
        form, lambda keys: open_with(keys, site.redis, http=site.outside, per_second=site.settings.cratejoy_rate)
    )
    try:
        save_form(site, form, merchant, credentials, try_platform(form, site.outside))
    except Refused:
        if not saved_before(site, merchant):  # meanwhile, by the same form sent a moment earlier
            raise


def _somebody_known(form: ConnectForm) -> Merchant:
    owned = _owned()
    account_id = form.account_id.data if "account_id" in form else next(iter(owned), None)
    if account_id is not None and account_id not in owned:
        abort(403)
    return Merchant(user_id=my_id(), account_id=account_id)


def _somebody_new(form: ConnectForm) -> Merchant:
    security = current_app.extensions["security"]
    try:
        email = security.mail_util.validate(form.email.data)
    except ValueError:
        raise Refused("email", "That is no mail address.") from None
    faults, password = security.password_util.validate(form.password.data, is_register=True, email=email)
    if faults:
        raise Refused("password", " ".join(faults))
    return Merchant(email=email, password_hash=hash_password(password), uniquifier=uniquifier_of(here(), form, email))


def _browser() -> tuple[Sequence[str], str, int]:
    """What typed secrets are kept with, for this browser only."""
    return here().settings.secret_keys, session.get("csrf_token", ""), here().now()


def _owned() -> dict[int, str]:
    """The accounts somebody may connect stores to, named by the stores they have."""
    stores = my_stores()
    owned = [account_id for account_id, role in my_roles().items() if role == OWNER]
    named = {account_id: [store.name for store in stores if store.account_id == account_id] for account_id in owned}
    return {account_id: f"that of {', '.join(names)}" if names else "a new one" for account_id, names in named.items()}


def _mine(name: str | None) -> Seen | None:
    """A store of this name whose connection may be changed by who asks."""
    found = next((store for store in my_stores() if store.name == name), None)
    return found if found is not None and found.account_id in _owned() else None


def _fill_in(form: ConnectForm) -> None:
    """What is known of the store whose connection is to be changed."""
    wanted = _mine(request.args.get("store"))
    if wanted is None:
        return
    with reading(here().engine) as db:
        row = find_store(db, wanted.name)
    form.store.data, form.currency.data = wanted.name, row.currency if row else form.currency.data
    fill_in(form, saved_of(here(), wanted.store_id))
    if "account_id" in form:
        form.account_id.data = wanted.account_id


def _complete(form: ConnectForm) -> None:
    """What was left empty, and is saved."""
    store = _mine(form.store.data)
    if store is not None:
        complete(form, saved_of(here(), store.store_id))


def _done(form: ConnectForm, *, known: bool) -> ResponseReturnValue:
    if known:
        flash("Connected. The hooks are being registered, and the customers read.", "success")
        return redirect(url_for("home.store", name=form.store.data))
    session["connected"] = form.email.data
    return redirect(url_for("connect.connected"))
