"""Connecting a warehouse: the kinds that there are, with their keys, which are written and never read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from pipeline.core.errors import Misconfigured
from pipeline.core.form_fields import Field
from pipeline.fulfilment.set_up import check_saved_keys, connect_warehouse
from pipeline.fulfilment.settings_json import BadSettings
from pipeline.fulfilment.stored_settings import change_stored_values
from pipeline.ledger.engine import reading
from pipeline.operations.warehouse_form import (
    WHOLE_FORM,
    ConnectForm,
    list_connect_fields,
    load_connect_form,
    merge_keys,
    name_missing,
    place_errors,
)
from pipeline.warehouses import WAREHOUSES
from receiver.api.caller import find_shop, get_actor, get_context
from receiver.api.fields import Body, Document, page_of
from receiver.api.limits import count_try
from receiver.api.problems import Problem, bad_values
from receiver.api.resource import Answer, Resource, describe, view
from receiver.api.warehouse_settings import SettingValues, name_faults
from receiver.api.warehouses import (
    DETAIL_EXAMPLE,
    WarehouseDetailSchema,
    find_shop_with_warehouse,
    get_row,
    load_detail,
)

blueprint = Resource("warehouse_keys", __name__, description="Connecting a warehouse, and the keys of each kind.")

NO_CRATEJOY = "The shop's Client ID and Secret of Cratejoy are not saved: boxes are found through its API."
_NO_KEY = "This kind of warehouse has no such key, or it is for the people who run the installation."
_OF_KEYS = ("key", "label", "help", "required", "secret", "default", "choices")


class WarehouseKeySchema(Document):
    """A key of a kind of warehouse."""

    key = fields.String(required=True)
    label = fields.String(required=True)
    help = fields.String(required=True)
    required = fields.Boolean(required=True)
    secret = fields.Boolean(required=True, metadata=describe("It is never shown."))
    default = fields.String(required=True, allow_none=True)
    choices = fields.List(fields.String(), required=True, metadata=describe("Empty: any text."))


class WarehouseKindSchema(Document):
    """A kind of warehouse."""

    warehouse = fields.String(required=True)
    title = fields.String(required=True, metadata=describe("What people call it."))
    steps = fields.List(fields.String(), required=True, metadata=describe("What to do there first."))
    keys = fields.List(fields.Nested(WarehouseKeySchema), required=True)


class SavedWarehouseKeySchema(WarehouseKeySchema):
    """A key of a warehouse that is connected."""

    value = fields.String(required=True, allow_none=True, metadata=describe("null: a secret, or not set."))
    is_saved = fields.Boolean(required=True)


class SavedWarehouseKeysSchema(Document):
    """The keys of a shop's warehouse."""

    shop = fields.String(required=True)
    warehouse = fields.String(required=True)
    keys = fields.List(fields.Nested(SavedWarehouseKeySchema), required=True)


class WarehouseAccountSchema(Document):
    """What the warehouse says about the account."""

    account = fields.Dict(required=True, metadata=describe("Facts; each kind of warehouse has others."))


class ConnectedWarehouseSchema(WarehouseDetailSchema):
    """A warehouse that was just connected."""

    account = fields.Dict(required=True, metadata=describe("What it says about the account."))


class ConnectWarehouseBody(Body):
    """A kind of warehouse, with its keys."""

    warehouse = fields.String(required=True, validate=validate.OneOf(sorted(WAREHOUSES)))
    keys = fields.Dict(
        fields.String(validate=validate.Length(max=100)),
        fields.String(validate=validate.Length(max=2_000)),
        load_default={},
        metadata=describe("By name. One that is left out is kept; an empty text clears it, unless it is secret."),
    )
    settings = fields.Nested(SettingValues, load_default={}, metadata=describe("The first time `earliest_order_at`."))


_KEY = {
    "key": "api_key",
    "label": "API key",
    "help": "The key beside that user.",
    "required": True,
    "secret": True,
    "default": None,
    "choices": [],
}
KIND_EXAMPLE = {
    "warehouse": "cartrover",
    "title": "Extensiv Integration Manager",
    "steps": ["In Integration Manager, switch off its own Cratejoy connection."],
    "keys": [_KEY],
}
ACCOUNT_EXAMPLE = {"new_orders": 0}
KindPage = page_of(WarehouseKindSchema, "WarehouseKindPage")


@view(blueprint, "/warehouse-kinds", "read", Answer(KindPage, {"items": [KIND_EXAMPLE], "next_cursor": None}))
def kinds() -> dict[str, Any]:
    """List the kinds of warehouses

    All of them, with what each needs to be connected.
    """
    anywhere = get_context().settings.connect_anywhere
    found = [
        {
            "warehouse": kind.adapter,
            "title": kind.title,
            "steps": kind.steps,
            "keys": [_describe(one) for one in list_connect_fields(kind, anywhere=anywhere)],
        }
        for kind in WAREHOUSES.values()
    ]
    return {"items": found, "next_cursor": None}


@view(
    blueprint,
    "/warehouses/<name:shop>/connect",
    "settings",
    Answer(
        ConnectedWarehouseSchema, {**DETAIL_EXAMPLE, "mode": "dry_run", "live_since": None, "account": ACCOUNT_EXAMPLE}
    ),
    method="POST",
    body=ConnectWarehouseBody,
    body_example={
        "warehouse": "cartrover",
        "keys": {"api_user": "acme", "api_key": "…"},
        "settings": {"earliest_order_at": "2026-12-01"},
    },
)
def connect(body: dict[str, Any], shop: str) -> dict[str, Any]:
    """Connect a warehouse

    Or change its keys. They are checked with a request that changes nothing, and kept encrypted; nothing is saved if
    the warehouse refuses them. Another kind of warehouse, and another account, begin in dry run: nothing is sent
    before `go-live`. Switch off first whatever else sends the shop's boxes.
    """
    context = get_context()
    with reading(context.engine) as conn:
        shop_id = find_shop(conn, shop)
    form = load_connect_form(context, shop_id, body["warehouse"])
    keys = _read_keys(form, body["keys"])
    if faults := _find_faults(form, keys, body["settings"]):
        raise bad_values(faults)
    if not form.has_cratejoy:
        raise Problem(409, NO_CRATEJOY)
    count_try(shop_id)
    try:
        _, facts = connect_warehouse(
            context,
            shop_id,
            form.warehouse.adapter,
            keys,
            body["settings"],
            get_actor(),
            change=change_stored_values,
        )
    except BadSettings as error:
        raise bad_values(name_faults(error, "settings.")) from error
    except Misconfigured as error:
        raise _place(error, form) from error
    return {**load_detail(shop), "account": facts}


@view(
    blueprint,
    "/warehouses/<name:shop>/check",
    "operate",
    Answer(WarehouseAccountSchema, {"account": ACCOUNT_EXAMPLE}),
    method="POST",
)
def check(shop: str) -> dict[str, Any]:
    """Try the saved keys

    With a request to the warehouse that changes nothing. It resumes nothing.
    """
    shop_id = find_shop_with_warehouse(shop)
    count_try(shop_id)
    return {"account": check_saved_keys(get_context(), shop_id)}


@view(
    blueprint,
    "/warehouses/<name:shop>/keys",
    "settings",
    Answer(
        SavedWarehouseKeysSchema,
        {"shop": "acme", "warehouse": "cartrover", "keys": [{**_KEY, "value": None, "is_saved": True}]},
    ),
)
def show(shop: str) -> dict[str, Any]:
    """Show the keys of a warehouse

    Secrets are never shown.
    """
    context = get_context()
    with reading(context.engine) as conn:
        shop_id = find_shop(conn, shop)
        adapter = get_row(conn, shop_id).adapter
    form = load_connect_form(context, shop_id, adapter)
    saved = [
        {
            **_describe(one),
            "value": None if one.secret else form.saved.get(one.key),
            "is_saved": bool(form.saved.get(one.key)),
        }
        for one in form.fields
    ]
    return {"shop": shop, "warehouse": adapter, "keys": saved}


def _describe(one: Field) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _OF_KEYS}


def _read_keys(form: ConnectForm, given: Mapping[str, str]) -> dict[str, str]:
    """The keys to check. Raises Problem with 422 for one that cannot be given."""
    if unknown := set(given) - {one.key for one in form.fields}:
        raise bad_values({f"keys.{key}": _NO_KEY for key in sorted(unknown)})
    try:
        return merge_keys(form, {key: text.strip() for key, text in given.items()})
    except Misconfigured as error:
        raise _place(error, form) from error


def _find_faults(form: ConnectForm, keys: Mapping[str, str], settings: Mapping[str, Any]) -> dict[str, str]:
    """What cannot be used, by the member of the body."""
    missing = {f"keys.{key}": text for key, text in name_missing(form, keys).items()}
    try:
        change_stored_values(form.row.settings if form.row is not None else {}, settings)
    except BadSettings as error:
        return missing | name_faults(error, "settings.")
    return missing


def _place(error: Misconfigured, form: ConnectForm) -> Problem:
    """The keys that are to blame; a refusal if none is."""
    placed = place_errors(str(error), form.fields)
    at_keys = {f"keys.{key}": text for key, text in placed.items() if key != WHOLE_FORM}
    return bad_values(at_keys) if at_keys else Problem(409, placed[WHOLE_FORM])
