"""Extracts the error message from a platform's response body and removes personal data from it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

MAX_CHARACTERS = 200
_MAX_READ_CHARS = 2000  # of a text; no reader needs more

# It is searched for only where a run of such characters begins, once for each run.
_ADDRESS = re.compile(r"(?<![^\s\"'<>(),;:])[^\s\"'<>(),;:]+(?:@|%40)[^\s\"'<>(),;:]+", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_MESSAGE_KEYS = ("message", "detail", "title")


def error_text(body: str) -> str:
    """Return the platform's own words, scrubbed and short. A body can be JSON, HTML from an edge server, or empty."""
    try:
        messages = list(_find_messages(json.loads(body)))
    except (ValueError, RecursionError):
        messages = [_TAG.sub(" ", body[:_MAX_READ_CHARS])]
    return scrub("; ".join(messages))


def scrub(text: str) -> str:
    """Return the text without anything that looks like an e-mail address, on one line, truncated."""
    return " ".join(_ADDRESS.sub("[address]", text[:_MAX_READ_CHARS]).split())[:MAX_CHARACTERS]


def entry_text(entry: Any) -> str:
    """Return the message of an entry in a list of errors, with its field if it names one."""
    if not isinstance(entry, dict):
        return entry if isinstance(entry, str) else ""
    message = next((entry[key] for key in _MESSAGE_KEYS if isinstance(entry.get(key), str)), "")
    name = entry.get("field")
    return f"{name}: {message}" if isinstance(name, str) and name else message


def _find_messages(body: Any) -> Iterator[str]:
    """Yield the messages: meta.errors or meta.error in Customer.io's v1, errors in its v2, message elsewhere."""
    if not isinstance(body, dict):
        return
    meta = body.get("meta")
    for holder in (meta, body):
        if isinstance(holder, dict):
            errors = holder.get("errors")
            yield from filter(None, map(entry_text, errors if isinstance(errors, list) else []))
            yield from (holder[key] for key in ("error", "message") if isinstance(holder.get(key), str))
