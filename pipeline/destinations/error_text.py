"""Extracts the error message from a platform's response body and removes personal data from it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pipeline.redaction.scrub import MAX_READ_CHARACTERS, scrub

_TAG = re.compile(r"<[^<>]*>")
_MESSAGE_KEYS = ("message", "detail", "title")


def error_text(body: str) -> str:
    """Return the platform's own words, scrubbed and short. A body can be JSON, HTML from an edge server, or empty."""
    try:
        messages = list(_find_messages(json.loads(body)))
    except (ValueError, RecursionError):
        messages = [_TAG.sub(" ", body[:MAX_READ_CHARACTERS])]
    return scrub("; ".join(messages))


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
