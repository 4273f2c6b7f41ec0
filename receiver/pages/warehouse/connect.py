"""Connects a shop to a warehouse, or changes its keys: fields as the adapter declares them, checked before saving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from redis import RedisError
from sqlalchemy import Connection

from pipeline.core.errors import BadCredentials, Misconfigured, Unreachable
from pipeline.core.form_fields import Field
from pipeline.fulfilment.set_up import connect_warehouse
from pipeline.fulfilment.setting_fields import BY_KEY, SettingField
from pipeline.fulfilment.settings_json import REQUIRED, BadSettings, change_settings
from pipeline.infra.crypto.encryption import decrypt
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.warehouses import WarehouseRow, find_warehouse
from pipeline.ledger.store_apis import find_store_api
from pipeline.operations.change_keys import merge_config
from pipeline.warehouses import WAREHOUSES
from pipeline.warehouses.base import Warehouse
from receiver.pages.auth.permissions import get_actor, get_my_store, requires
from receiver.pages.connect.credential_check import FormRejected, count_try
from receiver.pages.connect.steps import UNAVAILABLE
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence

blueprint = Blueprint("warehouse_connect", __name__)

WHOLE_FORM = ""  # the place of an error that no field is to blame for


@dataclass(frozen=True, slots=True)
class Form:
    """What is asked for. `saved`: the keys of the same warehouse; `settings`: those that have to be named first."""

    warehouse: type[Warehouse]
    fields: Sequence[Field]
    settings: Sequence[SettingField]
    row: WarehouseRow | None
    has_cratejoy: bool
    saved: Mapping[str, str] = field(repr=False)

    @property
    def replaces(self) -> str | None:
        """The title of the warehouse that this one would take the place of."""
        is_other = self.row is not None and self.row.adapter != self.warehouse.adapter
        return get_title(self.row.adapter) if self.row is not None and is_other else None

    def is_kept(self, one: Field) -> bool:
        """Whether the field may be left empty, since its secret is saved."""
        return one.secret and bool(self.saved.get(one.key))


def get_title(adapter: str) -> str:
    """What people see of a warehouse."""
    known = WAREHOUSES.get(adapter)
    return known.title if known else adapter


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
    flash("Connected. The first pass has begun; nothing is sent yet." if is_new else "The keys are saved.", "success")
    return redirect(url_for("warehouse.show", name=name))


def _try_connect(store_id: int, form: Form, typed: Mapping[str, str]) -> dict[str, str]:
    """Connect. Returns what is wrong, by field; nothing was saved then."""
    settings = {one.key: typed[one.key] for one in form.settings}
    try:
        config = _read_config(form, typed)
        if missing := _name_missing(form, config) | _check_settings(form, settings):
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


def place_errors(text: str, fields: Sequence[Field]) -> dict[str, str]:
    """Assign each part of an error, such as "api_user is missing; facility …", to the field that it names."""
    labels = {one.key: one.label for one in fields}
    placed: dict[str, str] = {}
    for part in text.split("; "):
        name, _, rest = part.partition(" ")
        key = name.rstrip(":")
        said = f"{labels[key]}{name[len(key) :]} {rest}" if key in labels else part
        place = key if key in labels else WHOLE_FORM
        placed[place] = f"{placed[place]} {sentence(said)}" if place in placed else sentence(said)
    return placed


def _load(name: str, adapter: str) -> Form:
    """What is asked for; aborts with 404 for a warehouse that there is not."""
    warehouse, context = WAREHOUSES.get(adapter) or abort(404), get_context()
    with reading(context.engine) as conn:
        row, has_cratejoy = _load_rows(conn, get_my_store(name).store_id)
    is_same = row is not None and row.adapter == adapter
    saved = decrypt(context.settings.secret_keys, row.config, row.identity) if row is not None and is_same else {}
    # An address is asked for where there is no warehouse without it; else only where strangers cannot fill it in.
    anywhere = context.settings.connect_anywhere
    fields = [one for one in warehouse.fields if anywhere or not (one.sets_host and one.default)]
    stored = row.settings if row is not None else {}
    return Form(warehouse, fields, [BY_KEY[key] for key in REQUIRED if key not in stored], row, has_cratejoy, saved)


def _load_rows(conn: Connection, store_id: int) -> tuple[WarehouseRow | None, bool]:
    return find_warehouse(conn, store_id), find_store_api(conn, store_id) is not None


def _read_config(form: Form, typed: Mapping[str, str]) -> dict[str, str]:
    """The keys to check: a secret that was left empty is the saved one. Raises Misconfigured."""
    plain = {one.key: typed[one.key] for one in form.fields if not one.secret}
    given = {one.key: typed[one.key] for one in form.fields}
    merged = merge_config(form.warehouse.fields, form.saved, given) if form.saved else given
    return {key: value for key, value in (merged | plain).items() if value}


def _name_missing(form: Form, config: Mapping[str, str]) -> dict[str, str]:
    asked = [one for one in form.fields if one.required and not one.default]
    return {one.key: f"{one.label} is missing." for one in asked if not config.get(one.key)}


def _check_settings(form: Form, settings: Mapping[str, str]) -> dict[str, str]:
    """Setting -> what is wrong with it."""
    try:
        change_settings(form.row.settings if form.row is not None else {}, settings)
    except BadSettings as error:
        labels = {one.key: one.label for one in form.settings}
        return {
            key if key in labels else WHOLE_FORM: f"{labels.get(key, key)} {error.errors[key]}." for key in error.errors
        }
    return {}


def _render(name: str, form: Form, typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
    return render_template("warehouse_connect.html", store=get_my_store(name), form=form, typed=typed, errors=errors)
