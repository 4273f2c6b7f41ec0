"""Documents for known APIs: one TOML file each, whose first lines name the vendor's pages that it follows."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

OWN = "own"  # the choice of a document of one's own


@lru_cache(maxsize=1)
def list_presets() -> tuple[str, ...]:
    """Return the names of the presets, in order."""
    return tuple(
        sorted(one.name.removesuffix(".toml") for one in files(__package__).iterdir() if one.name.endswith(".toml"))
    )


@lru_cache(maxsize=32)
def read_preset(name: str) -> str:
    """Return the document of a preset. Raise FileNotFoundError if there is none."""
    return (files(__package__) / f"{name}.toml").read_text(encoding="utf-8")
