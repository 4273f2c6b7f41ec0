"""The settings of a shop's fulfilment: a form drawn from what each setting declares, with its errors at the field."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pipeline.core.errors import Misconfigured
from pipeline.fulfilment.set_up import save_settings_form
from pipeline.fulfilment.setting_fields import BY_KEY, FIELDS
from pipeline.fulfilment.settings_json import BadSettings, show_form
from pipeline.fulfilment.stored_settings import load_settings
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.warehouses import WarehouseRow, find_warehouse
from pipeline.warehouses import get_title
from receiver.pages.auth.permissions import get_actor, get_my_store, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence

blueprint = Blueprint("warehouse_settings", __name__)


@blueprint.get("/stores/<name>/warehouse/settings")
@requires("see")
def show(name: str) -> ResponseReturnValue:
    """Show the settings; owners can change them."""
    row = _find(name)
    if row is None:
        return redirect(url_for("warehouse.show", name=name))
    try:
        texts, error = show_form(load_settings(row.settings)), None
    except Misconfigured as fault:
        texts, error = {}, sentence(str(fault))
    return _render(name, row, texts, {}, error)


@blueprint.post("/stores/<name>/warehouse/settings")
@requires("change_settings")
def save(name: str) -> ResponseReturnValue:
    """Save all settings, or none and say at each field what is wrong."""
    row = _find(name)
    if row is None:
        return redirect(url_for("warehouse.show", name=name))
    texts = {one.key: request.form.get(one.key, "") for one in FIELDS}
    try:
        is_changed = save_settings_form(get_context(), row.store_id, texts, get_actor())
    except BadSettings as error:
        wrong = {key: f"{BY_KEY[key].label} {text}." for key, text in error.errors.items()}
        return _render(name, row, texts, wrong, None), 422
    flash("Saved. Boxes that are not sent yet are judged anew." if is_changed else "Nothing was changed.", "success")
    return redirect(url_for("warehouse_settings.show", name=name))


def _find(name: str) -> WarehouseRow | None:
    with reading(get_context().engine) as conn:
        return find_warehouse(conn, get_my_store(name).store_id)


def _render(
    name: str, row: WarehouseRow, texts: Mapping[str, str], errors: Mapping[str, str], fault: str | None
) -> str:
    store = get_my_store(name)
    return render_template(
        "warehouse_settings.html",
        store=store,
        title_of_warehouse=get_title(row.adapter),
        groups=[(group, list(fields)) for group, fields in groupby(FIELDS, key=lambda one: one.group)],
        texts=texts,
        errors=errors,
        fault=fault,
        can_change=store.allows("change_settings"),
    )
