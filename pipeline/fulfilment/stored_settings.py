"""The settings of a store's warehouse: read from its row, and changed by what a person typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.core.errors import Misconfigured
from pipeline.fulfilment.setting_fields import BY_KEY
from pipeline.fulfilment.settings import FulfilmentSettings
from pipeline.fulfilment.settings_json import BadSettings, read_settings, write_settings


def load_settings(stored: Mapping[str, Any]) -> FulfilmentSettings:
    """The stored settings. Raises Misconfigured, naming every fault; a warehouse without a date is one."""
    try:
        return read_settings(stored)
    except BadSettings as error:
        raise Misconfigured(f"the settings of the fulfilment: {error}") from error


def change_settings(stored: Mapping[str, Any], typed: Mapping[str, str]) -> dict[str, Any]:
    """The settings to store. `typed`: name -> the text of a form, empty for the default. Raises Misconfigured."""
    changed, faults = dict(stored), []
    for name, text in typed.items():
        changed.pop(name, None)
        try:
            if name not in BY_KEY:
                changed[name] = text  # what is no setting is said with the other faults
            elif text:
                kind = BY_KEY[name].kind
                changed[name] = kind.write(kind.parse(text))
        except ValueError as error:
            faults.append(f"{name} {error}")
    if faults:
        raise Misconfigured("; ".join(faults))
    return write_settings(load_settings(changed))
