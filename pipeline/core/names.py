"""Names that people give to things of their own: samples, views, tokens."""

from __future__ import annotations

from pipeline.core.errors import Misconfigured


def check_name(text: str, max_characters: int, complaint: str) -> str:
    """The name without spaces around and within it that say nothing. Raises Misconfigured with this complaint."""
    name = " ".join(text.split())
    if not 0 < len(name) <= max_characters or not name.isprintable():
        raise Misconfigured(complaint)
    return name
