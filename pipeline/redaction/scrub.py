"""Shortens a foreign text and removes what looks like an e-mail address from it."""

from __future__ import annotations

import re

MAX_CHARACTERS = 200
MAX_READ_CHARACTERS = 2000  # of a text; no reader needs more

# It is searched for only where a run of such characters begins, once for each run.
_ADDRESS = re.compile(r"(?<![^\s\"'<>(),;:])[^\s\"'<>(),;:]+(?:@|%40)[^\s\"'<>(),;:]+", re.IGNORECASE)


def scrub(text: str) -> str:
    """Return the text without anything that looks like an e-mail address, on one line, truncated."""
    return " ".join(_ADDRESS.sub("[address]", text[:MAX_READ_CHARACTERS]).split())[:MAX_CHARACTERS]
