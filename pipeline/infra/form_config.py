"""Reads the config of a platform or a warehouse by the fields that it declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.core.errors import Misconfigured
from pipeline.core.form_fields import Field
from pipeline.infra.http.base_url import is_base_url


def read_rate(config: Mapping[str, str], usual: float) -> float:
    """Return the calls a second: what the field `calls_per_second` says, where an adapter has one, else the usual."""
    given = config.get("calls_per_second", "")
    return float(given) if given.isdecimal() and int(given) > 0 else usual


def read_config(fields: Sequence[Field], config: Mapping[str, str]) -> dict[str, str]:
    """Return every field's value, or its default. Raises Misconfigured, naming every fault."""
    given = {field.key: (config.get(field.key) or field.default or "").strip() for field in fields}
    faults = [f"{field.key} is missing" for field in fields if field.required and not given[field.key]]
    faults += [
        f"{field.key} must be one of {', '.join(field.choices)}"
        for field in fields
        if field.choices and given[field.key] and given[field.key] not in field.choices
    ]
    faults += [
        f"{field.key} must be an https address without credentials, query or fragment"
        for field in fields
        if field.sets_host and given[field.key] and not is_base_url(given[field.key])
    ]
    if faults:
        raise Misconfigured("; ".join(faults))
    return given
