"""Reads the Lua scripts that lie beside the modules which run them in Redis."""

from __future__ import annotations

from importlib.resources import files


def read_lua(package: str, name: str) -> str:
    """Return the text of `name`.lua in this package. Modules read theirs once, when they are imported."""
    return files(package).joinpath(f"{name}.lua").read_text("utf-8")
