"""The connections of a store on its settings page: paused, resumed, and a further one added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pipeline.core.errors import CratewireError, Misconfigured
from pipeline.core.form_fields import Field
from pipeline.destinations import DESTINATIONS
from pipeline.destinations.base import Destination
from pipeline.ledger.accounts import get_account_name
from pipeline.ledger.connections import ConnectionRow, list_store_connections
from pipeline.ledger.engine import reading, writing
from pipeline.operations.change_keys import list_connection_fields
from pipeline.operations.connect import ConnectRequest, save_checked_connection, validate_request
from pipeline.operations.pause import pause as pause_connection
from pipeline.operations.pause import resume_with_saved_keys
from receiver.pages.auth.permissions import get_actor, get_my_store, requires
from receiver.pages.connect.credential_check import FormRejected, count_try, format_error, try_platform
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence

blueprint = Blueprint("store_connections", __name__)

LABEL = Field(
    "label", "Label", help="Distinguishes this connection, for example newsletter. It cannot be changed later."
)
WHOLE_FORM = ""  # the place of an error that no field is to blame for
ALREADY_THERE = "The shop has a connection with this label already: choose another label."


@blueprint.post("/stores/<name>/connections/<int:connection_id>/pause")
@requires("pause")
def pause(name: str, connection_id: int) -> ResponseReturnValue:
    """Send nothing more over this connection until it is resumed."""
    context = get_context()
    pause_connection(context.engine, _get_connection(name, connection_id), get_actor(), context.now())
    flash("Paused. Messages wait, and none is lost.", "success")
    return _go_back(name)


@blueprint.post("/stores/<name>/connections/<int:connection_id>/resume")
@requires("pause")
def resume(name: str, connection_id: int) -> ResponseReturnValue:
    """Check the saved keys, and go on if they are taken."""
    context, connection = get_context(), _get_connection(name, connection_id)
    secret_keys = context.settings.secret_keys
    try:
        count_try(f"store {connection.store_id}")
        resume_with_saved_keys(context.engine, secret_keys, connection, context.http, context.now(), get_actor())
    except (CratewireError, FormRejected) as error:
        flash(f"It stays paused. {sentence(str(error))}", "error")
    else:
        flash("Resumed. What waited is being sent.", "success")
    return _go_back(name)


@blueprint.get("/stores/<name>/connections/new/<platform>")
@requires("change_settings")
def ask(name: str, platform: str) -> str:
    """Ask for the keys of a further connection."""
    return _render(name, _get_destination(platform), {}, {})


@blueprint.post("/stores/<name>/connections/new/<platform>")
@requires("change_settings")
def add(name: str, platform: str) -> ResponseReturnValue:
    """Check the keys, and save the connection."""
    context, store, destination = get_context(), get_my_store(name), _get_destination(platform)
    fields = list_connection_fields(platform, anywhere=context.settings.connect_anywhere)
    typed = {field.key: request.form.get(field.key, "").strip() or field.default or "" for field in fields}
    label = request.form.get("label", "").strip()
    sends_people = request.form.get("sends_people", "")
    kept = {**typed, "label": label, "sends_people": sends_people}
    missing = {field.key: f"{field.label} is missing." for field in fields if field.required and not typed[field.key]}
    with reading(context.engine) as conn:
        account = get_account_name(conn, store.account_id)
        labels = [one.label for one in list_store_connections(conn, store.store_id) if one.platform == platform]
    if label in labels:
        missing["label"] = ALREADY_THERE
    if missing:
        return _render(name, destination, kept, missing), 422
    try:
        count_try(f"store {store.store_id}")
        validate_request(ConnectRequest(name, platform, typed, label))
        checked = try_platform(platform, typed, context.http)
    except FormRejected as error:
        place = error.field if error.field in typed else WHOLE_FORM
        return _render(name, destination, kept, {place: str(error)}), 422
    except Misconfigured as error:
        return _render(name, destination, kept, {"label": format_error(error)}), 422
    wanted = ConnectRequest(name, platform, checked.config, label, account=account, actor=get_actor())
    wanted = replace(wanted, sends_people=bool(sends_people))
    settings = context.settings
    with writing(context.engine) as conn:
        save_checked_connection(conn, settings.secret_keys, settings.public_url, wanted, checked, context.now())
    follow = "The people there are follow." if sends_people else "The people there are do not."
    flash(f"Connected. New events go there too. {follow}", "success")
    return _go_back(name)


def _render(name: str, destination: type[Destination], typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
    anywhere = get_context().settings.connect_anywhere
    fields = [LABEL, *list_connection_fields(destination.platform, anywhere=anywhere)]
    page = {"destination": destination, "fields": fields, "typed": typed, "errors": errors}
    return render_template("connection_new.html", store=get_my_store(name), **page)


def _get_destination(platform: str) -> type[Destination]:
    return DESTINATIONS.get(platform) or abort(404)


def _get_connection(name: str, connection_id: int) -> ConnectionRow:
    """Return a connection of the user's store; abort with 404 if it has none with this id."""
    with reading(get_context().engine) as conn:
        found = list_store_connections(conn, get_my_store(name).store_id)
    return next((one for one in found if one.id == connection_id), None) or abort(404)


def _go_back(name: str) -> ResponseReturnValue:
    return redirect(url_for("store_settings.show", name=name, _anchor="keys"))
