"""Reads and writes the settings: as JSON, which the ledger stores and the API has, and as the texts of a form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from difflib import get_close_matches
from typing import Any

from pipeline.core.errors import Misconfigured
from pipeline.fulfilment.setting_fields import BY_KEY, FIELDS, SettingField
from pipeline.fulfilment.settings import FulfilmentSettings

REQUIRED = [one.name for one in fields(FulfilmentSettings) if one.default is one.default_factory is MISSING]


class BadSettings(Misconfigured):
    """Settings that cannot be taken. `errors`: key -> what it must be; without values."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{key} {errors[key]}" for key in sorted(errors)))
        self.errors = dict(errors)


def read_settings(stored: Mapping[str, Any]) -> FulfilmentSettings:
    """Return the settings of a JSON object. An absent key has its default. Raises BadSettings with all errors."""
    errors = {key: _name_unknown(key) for key in stored if key not in BY_KEY}
    return _read(stored, lambda field, value: field.kind.read(value), errors)


def write_settings(settings: FulfilmentSettings) -> dict[str, Any]:
    """Return the JSON object, with every key: a default that changes later does not change what was stored."""
    return {field.key: field.kind.write(getattr(settings, field.key)) for field in FIELDS}


def read_form(form: Mapping[str, str]) -> FulfilmentSettings:
    """Return the settings of a form. A field that is absent is a switch that is off, or empty. Raises BadSettings."""
    texts = {field.key: form.get(field.key, "") for field in FIELDS}
    return _read(texts, lambda field, text: field.kind.parse(text), {})


def change_settings(stored: Mapping[str, Any], typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the stored settings with what was typed on the command line, an empty text for the default.

    Each text is as in the form, with commas instead of new lines, or JSON if it begins with a bracket or a brace.
    Raises BadSettings.
    """
    errors, changed = {}, dict(stored)
    for key, text in typed.items():
        changed.pop(key, None)
        try:
            if key not in BY_KEY:
                errors[key] = _name_unknown(key)
            elif text.strip():
                kind = BY_KEY[key].kind
                changed[key] = kind.write(kind.parse_typed(text.strip()))
        except ValueError as error:
            errors[key] = str(error)
    if errors:
        raise BadSettings(errors)
    return write_settings(read_settings(changed))


def change_values(stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stored settings with these JSON values, null for the default. Raises BadSettings."""
    kept = {key: value for key, value in stored.items() if key not in given}
    changed = {key: value for key, value in given.items() if value is not None or key not in BY_KEY}
    return write_settings(read_settings(kept | changed))


def write_defaults() -> dict[str, Any]:
    """Return the JSON object of the defaults; null for what has none."""
    return write_settings(FulfilmentSettings(earliest_order_at=0)) | dict.fromkeys(REQUIRED)


def show_form(settings: FulfilmentSettings) -> dict[str, str]:
    """Return the text of each field of the form."""
    return {field.key: field.kind.show(getattr(settings, field.key)) for field in FIELDS}


def _read(
    given: Mapping[str, Any], read: Callable[[SettingField, Any], Any], errors: dict[str, str]
) -> FulfilmentSettings:
    values: dict[str, Any] = {}
    for field in FIELDS:
        if field.key in given:
            try:
                values[field.key] = read(field, given[field.key])
            except ValueError as error:
                errors[field.key] = str(error)
    errors |= {key: "is missing" for key in REQUIRED if key not in values and key not in errors}
    if errors:
        raise BadSettings(errors)
    settings = FulfilmentSettings(**values)
    if errors := _check_together(settings):
        raise BadSettings(errors)
    return settings


def _check_together(settings: FulfilmentSettings) -> dict[str, str]:
    """Return what is wrong with settings that are each right by themselves."""
    errors = {}
    if settings.item_filter == "allow" and not settings.item_filter_skus:
        errors["item_filter_skus"] = "must name a SKU, since only these are sent"
    if not (settings.pull_ecommerce or settings.pull_adhoc or settings.pull_standard):
        errors["pull_ecommerce"] = "or another billing type must be on, since nothing is sent otherwise"
    return errors


def _name_unknown(key: str) -> str:
    close = get_close_matches(key, BY_KEY, 1)
    return f"is no setting; is {close[0]} meant?" if close else "is no setting"
