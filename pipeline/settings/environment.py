"""Parses and checks the variables of an environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from environs import Env, EnvValidationError

from pipeline.core.errors import Misconfigured
from pipeline.settings.variable import Variable

_PARSERS = {int: "int", float: "float", bool: "bool"}  # environs' method by the type of a field; all else is text


def parse_variables(
    environ: Mapping[str, str], variables: Mapping[str, Variable], types: Mapping[str, Any]
) -> dict[str, Any]:
    """Parse and check each variable; returns the values by field name.

    Raises one Misconfigured that names every malformed variable, and quotes no value.
    """
    env = _MappingEnv(environ)
    values = {
        field: getattr(env, _PARSERS.get(types[field], "str"))(row.name, default=row.default, validate=row.check)
        for field, row in variables.items()
    }
    try:
        env.seal()
    except EnvValidationError as error:
        messages_by_name = cast("Mapping[str, list[str]]", error.error_messages)
        faults = [f"{name}: {' '.join(messages)}" for name, messages in sorted(messages_by_name.items())]
        raise Misconfigured("\n".join(faults)) from None  # the cause may quote a value
    return values


class _MappingEnv(Env):
    """environs over a mapping that is handed in. An empty variable counts as unset, as in a filled-in `.env`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(eager=False)
        self._given = {name: value for name, value in environ.items() if value.strip()}

    def _get_value(self, env_key: str, default: Any) -> Any:
        return self._given.get(env_key, default)
