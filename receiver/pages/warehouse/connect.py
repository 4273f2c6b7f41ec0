"""Connects a shop to a warehouse, or changes its keys: fields as the adapter declares them, checked before saving."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from redis import RedisError

from pipeline.core.errors import BadCredentials, Misconfigured, Unreachable
from pipeline.fulfilment.set_up import connect_warehouse
from pipeline.fulfilment.settings_json import BadSettings, change_settings
from pipeline.operations.warehouse_form import (
    WHOLE_FORM,
    ConnectForm,
    load_connect_form,
    merge_keys,
    name_missing,
    place_errors,
)
from pipeline.warehouses import WAREHOUSES
from receiver.pages.auth.permissions import get_actor, get_my_store, requires
from receiver.pages.connect.credential_check import FormRejected, count_try
from receiver.pages.connect.steps import UNAVAILABLE
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence

blueprint = Blueprint("warehouse_connect", __name__)


@blueprint.get("/stores/<name>/warehouse/connect/<adapter>")
@requires("change_settings")
def ask(name: str, adapter: str) -> str:
    """Ask for the keys, and for the settings that have no default."""
    form = _load(name, adapter)
    typed = {one.key: form.saved.get(one.key) or one.default or "" for one in form.fields if not one.secret}
    return _render(name, form, typed, {})


@blueprint.post("/stores/<name>/warehouse/connect/<adapter>")
@requires("change_settings")
def connect(name: str, adapter: str) -> ResponseReturnValue:
    """Check the keys, and save them. Nothing is saved if they are refused; nothing is sent before a person agrees."""
    form = _load(name, adapter)
    asked = [one.key for one in form.fields] + [one.key for one in form.settings]
    typed = {key: request.form.get(key, "").strip() for key in asked}
    try:
        errors = _try_connect(get_my_store(name).store_id, form, typed)
    except RedisError:
        return _render(name, form, typed, {WHOLE_FORM: UNAVAILABLE}), 503
    if errors:
        return _render(name, form, typed, errors), 422
    is_new = form.row is None or form.replaces is not None
    saved = "The keys are saved." if form.has_keys else "Saved."
    flash("Connected. The first pass has begun; nothing is sent yet." if is_new else saved, "success")
    return redirect(url_for("warehouse.show", name=name))


def _try_connect(store_id: int, form: ConnectForm, typed: Mapping[str, str]) -> dict[str, str]:
    """Connect. Returns what is wrong, by field; nothing was saved then."""
    settings = {one.key: typed[one.key] for one in form.settings}
    try:
        config = merge_keys(form, {one.key: typed[one.key] for one in form.fields})
        if missing := name_missing(form, config) | _check_settings(form, settings):
            return missing
        count_try(f"store {store_id}")
        connect_warehouse(get_context(), store_id, form.warehouse.adapter, config, settings, get_actor())
    except BadCredentials as error:
        return {next((one.key for one in form.fields if one.secret), WHOLE_FORM): sentence(str(error))}
    except Unreachable as error:
        return {next((one.key for one in form.fields if one.sets_host), WHOLE_FORM): sentence(str(error))}
    except FormRejected as error:
        return {WHOLE_FORM: str(error)}
    except Misconfigured as error:
        return place_errors(str(error), form.fields)
    return {}


def _load(name: str, adapter: str) -> ConnectForm:
    """What is asked for; aborts with 404 for a warehouse that there is not."""
    if adapter not in WAREHOUSES:
        abort(404)
    return load_connect_form(get_context(), get_my_store(name).store_id, adapter)


def _check_settings(form: ConnectForm, settings: Mapping[str, str]) -> dict[str, str]:
    """Setting -> what is wrong with it."""
    try:
        change_settings(form.row.settings if form.row is not None else {}, settings)
    except BadSettings as error:
        labels = {one.key: one.label for one in form.settings}
        return {
            key if key in labels else WHOLE_FORM: f"{labels.get(key, key)} {error.errors[key]}." for key in error.errors
        }
    return {}


def _render(name: str, form: ConnectForm, typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
    return render_template("warehouse_connect.html", store=get_my_store(name), form=form, typed=typed, errors=errors)
