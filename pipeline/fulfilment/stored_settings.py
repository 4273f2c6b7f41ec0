"""The settings of a store's warehouse: read from its row, and changed by what a person typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.core.errors import Misconfigured
from pipeline.fulfilment.settings import FulfilmentSettings
from pipeline.fulfilment.settings_json import BadSettings, change_settings, read_settings


def load_settings(stored: Mapping[str, Any]) -> FulfilmentSettings:
    """The stored settings. Raises Misconfigured, naming every fault; a warehouse without a date is one."""
    try:
        return read_settings(stored)
    except BadSettings as error:
        raise Misconfigured(f"the settings of the fulfilment: {error}") from error


def change_stored(stored: Mapping[str, Any], typed: Mapping[str, str]) -> dict[str, Any]:
    """The settings to store. `typed`: name -> what was typed, empty for the default. Raises Misconfigured."""
    try:
        return change_settings(stored, typed)
    except BadSettings as error:
        raise Misconfigured(str(error)) from error
