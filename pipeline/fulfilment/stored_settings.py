"""The settings of a store's warehouse: read from its row, and changed by what a person typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipeline.core.errors import Misconfigured
from pipeline.fulfilment.setting_fields import BY_KEY
from pipeline.fulfilment.settings import FulfilmentSettings
from pipeline.fulfilment.settings_json import (
    BadSettings,
    change_settings,
    change_values,
    read_settings,
    write_defaults,
)
from pipeline.warehouses.base import Capabilities, Warehouse

_DEFAULTS = FulfilmentSettings(earliest_order_at=0)


def load_settings(stored: Mapping[str, Any]) -> FulfilmentSettings:
    """The stored settings. Raises Misconfigured, naming every fault; a warehouse without a date is one."""
    try:
        return read_settings(_drop_unknown(stored))
    except BadSettings as error:
        raise Misconfigured(f"the settings of the fulfilment: {error}") from error


def find_no_tracking_days(stored: Mapping[str, Any]) -> int:
    """How long a box may be at the warehouse without tracking; the default while no settings are stored."""
    days: int = stored.get("no_tracking_days", _DEFAULTS.no_tracking_days)
    return days


def change_stored(stored: Mapping[str, Any], typed: Mapping[str, str]) -> dict[str, Any]:
    """The settings to store. `typed`: name -> what was typed, empty for the default. Raises BadSettings."""
    return change_settings(_drop_unknown(stored), typed)


def change_stored_values(stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings to store. `given`: name -> JSON value, null for the default. Raises BadSettings."""
    return change_values(_drop_unknown(stored), given)


def show_stored(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON value of every setting, even where one cannot be read; one that is not stored has its default."""
    return write_defaults() | _drop_unknown(stored)


def require_look_up(warehouse: Warehouse, settings: FulfilmentSettings) -> None:
    """Raise BadSettings if the look-up is off, and the warehouse may take an order twice under one number."""
    if not settings.lookup_before_create and _needs_look_up(warehouse.capabilities):
        said = f"must be on, since {warehouse.title} does not say that it refuses a second order of a number"
        raise BadSettings({"lookup_before_create": said})


def make_safe(settings: FulfilmentSettings, warehouse: Warehouse) -> FulfilmentSettings:
    """The settings with the look-up on where it is needed: they may be older than the warehouse."""
    return replace(settings, lookup_before_create=True) if _needs_look_up(warehouse.capabilities) else settings


def _needs_look_up(can: Capabilities) -> bool:
    """Whether a ledger that was restored from an older copy would send boxes again without it."""
    return can.finds and not can.refuses_duplicates


def _drop_unknown(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A setting that another version has stored, and this one does not have, stops no warehouse."""
    return {key: value for key, value in stored.items() if key in BY_KEY}
