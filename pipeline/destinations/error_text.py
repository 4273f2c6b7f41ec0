"""Finds what a platform says about an error in whatever body it sent, and keeps personal data out of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

MAX_CHARACTERS = 200
_MAX_READ_CHARS = 2000  # characters of a text that are looked at: nobody reads more of it

# It is looked for where a run of such characters begins, once for each run.
_ADDRESS = re.compile(r"(?<![^\s\"'<>(),;:])[^\s\"'<>(),;:]+(?:@|%40)[^\s\"'<>(),;:]+", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_MESSAGE_KEYS = ("message", "detail", "title")


def error_text(body: str) -> str:
    """The vendor's words, scrubbed and short. Bodies can be JSON, HTML from an edge server, or nothing."""
    try:
        said = list(_messages(json.loads(body)))
    except (ValueError, RecursionError):
        said = [_TAG.sub(" ", body[:_MAX_READ_CHARS])]
    return scrub("; ".join(said))


def scrub(text: str) -> str:
    """Without anything that looks like an e-mail address, on one line, cut."""
    return " ".join(_ADDRESS.sub("[address]", text[:_MAX_READ_CHARS]).split())[:MAX_CHARACTERS]


def entry_text(entry: Any) -> str:
    """One entry of a list of errors: its field, if it names one, and its message."""
    if not isinstance(entry, dict):
        return entry if isinstance(entry, str) else ""
    message = next((entry[key] for key in _MESSAGE_KEYS if isinstance(entry.get(key), str)), "")
    about = entry.get("field")
    return f"{about}: {message}" if isinstance(about, str) and about else message


def _messages(said: Any) -> Iterator[str]:
    """Customer.io's v1 says meta.errors or meta.error, its v2 errors; others say message."""
    if not isinstance(said, dict):
        return
    meta = said.get("meta")
    for holder in (meta, said):
        if isinstance(holder, dict):
            errors = holder.get("errors")
            yield from filter(None, map(entry_text, errors if isinstance(errors, list) else []))
            yield from (holder[key] for key in ("error", "message") if isinstance(holder.get(key), str))
