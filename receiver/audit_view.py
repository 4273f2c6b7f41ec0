"""An action of the audit log in words, the same on pages and on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.destinations import DESTINATIONS


def describe_about(about: Mapping[str, Any]) -> str:
    """What an action was about: `messages 64, platform Customer.io`."""
    return ", ".join(f"{name.replace('_', ' ')} {_format(name, value)}" for name, value in sorted(about.items()))


def _format(name: str, value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return DESTINATIONS[value].title if name == "platform" and value in DESTINATIONS else str(value)
