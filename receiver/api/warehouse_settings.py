"""The settings of a shop's warehouse: all of them with what each is, and changes of some, in JSON values."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from pipeline.fulfilment.set_up import save_fulfilment_settings
from pipeline.fulfilment.setting_fields import BY_KEY, FIELDS, SettingField
from pipeline.fulfilment.settings_json import REQUIRED, BadSettings, write_defaults
from pipeline.fulfilment.stored_settings import change_stored_values, show_stored
from pipeline.ledger.engine import reading
from receiver.api.caller import find_shop, get_actor, get_context
from receiver.api.fields import Body, Document
from receiver.api.problems import bad_values
from receiver.api.resource import Answer, Resource, describe, view
from receiver.api.warehouses import find_shop_with_warehouse, get_row

blueprint = Resource("warehouse_settings", __name__, description="The settings of a shop's warehouse.")

_DEFAULTS = write_defaults()


def _build_value(one: SettingField) -> fields.Raw:
    """A member with the value of a setting, or null; what is wrong with it is said by the setting itself."""
    schema = dict(one.kind.json_schema)
    if isinstance(schema["type"], list):
        [schema["type"]] = set(schema["type"]) - {"null"}
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    unit = {"seconds": "Here it is in seconds."}.get(one.kind.name, "")
    of_forms = one.kind.widget == "textarea"  # where each entry has a line
    text = " ".join(filter(None, (f"{one.label}.", "" if of_forms else one.help, unit)))
    return fields.Raw(allow_none=True, metadata={**schema, "description": text})


SettingValues = Body.from_dict({one.key: _build_value(one) for one in FIELDS}, name="SettingValues")


class SettingChoiceSchema(Document):
    """A word that a setting may have."""

    value = fields.String(required=True)
    label = fields.String(required=True)


class SettingSchema(Document):
    """What a setting is."""

    key = fields.String(required=True)
    group = fields.String(required=True)
    label = fields.String(required=True, metadata=describe("As a page has it, which asks for seconds in hours."))
    help = fields.String(required=True)
    kind = fields.String(required=True, metadata=describe("Such as switch, number, seconds, choice or day."))
    schema = fields.Dict(required=True, metadata=describe("The JSON Schema of its values."))
    choices = fields.List(fields.Nested(SettingChoiceSchema), required=True, metadata=describe("Empty: no choice."))
    required = fields.Boolean(required=True, metadata=describe("It has no default."))
    default = fields.Raw(required=True, allow_none=True)


class WarehouseSettingsSchema(Document):
    """The settings of a shop's warehouse."""

    shop = fields.String(required=True)
    settings = fields.Nested(SettingValues, required=True, metadata=describe("Every setting with its value."))
    fields_ = fields.List(
        fields.Nested(SettingSchema),
        required=True,
        data_key="fields",
        attribute="fields",
        metadata=describe("What each setting is, in the order of the page."),
    )


def _describe(one: SettingField) -> dict[str, Any]:
    return {
        **{name: getattr(one, name) for name in ("key", "group", "label", "help")},
        "kind": one.kind.name,
        "schema": one.kind.json_schema,
        "choices": [{"value": value, "label": label} for value, label in one.choices],
        "required": one.key in REQUIRED,
        "default": _DEFAULTS[one.key],
    }


EXAMPLE = {
    "shop": "acme",
    "settings": {**_DEFAULTS, "earliest_order_at": "2026-12-01"},
    "fields": [_describe(BY_KEY["future_days"])],
}


@view(blueprint, "/warehouses/<name:shop>/settings", "read", Answer(WarehouseSettingsSchema, EXAMPLE))
def show(shop: str) -> dict[str, Any]:
    """Show the settings of a warehouse

    Each with its value, and what it is.
    """
    return _load(shop)


@view(
    blueprint,
    "/warehouses/<name:shop>/settings",
    "settings",
    Answer(WarehouseSettingsSchema, EXAMPLE),
    method="POST",
    body=SettingValues,
    body_example={"future_days": 3, "cooling_off_signup_s": None},
)
def change(body: dict[str, Any], shop: str) -> dict[str, Any]:
    """Change settings of a warehouse

    Those that are named; null sets the default. All of them are changed, or none. Boxes that are not sent are judged
    anew.
    """
    try:
        save_fulfilment_settings(
            get_context(), find_shop_with_warehouse(shop), body, get_actor(), change=change_stored_values
        )
    except BadSettings as error:
        raise bad_values(name_faults(error)) from error
    return _load(shop)


def _load(shop: str) -> dict[str, Any]:
    with reading(get_context().engine) as conn:
        row = get_row(conn, find_shop(conn, shop))
    return {"shop": shop, "settings": show_stored(row.settings), "fields": [_describe(one) for one in FIELDS]}


def name_faults(error: BadSettings, before: str = "") -> dict[str, str]:
    """Which members of a body cannot be used, and why. `before`: what their names begin with."""
    return {
        f"{before}{key}": f"{BY_KEY[key].label if key in BY_KEY else key} {text}." for key, text in error.errors.items()
    }
