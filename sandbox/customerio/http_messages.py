"""HTTP requests and responses as values, with the headers that the vendor sends."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from http.client import responses
from typing import Any

Json = dict[str, Any]

# Customer.io's own Node client contains recorded responses; every successful call carried these headers.
RECORDED_HEADERS: Mapping[str, str] = {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-cache, no-store, must-revalidate, max-age=0",
    "access-control-allow-origin": "*",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "via": "1.1 google",
}

HTML_HEADERS: Mapping[str, str] = {"content-type": "text/html; charset=utf-8"}


class Transmission(Enum):
    """How the server hands an answer over."""

    WHOLE = "whole"
    SILENT = "close without an answer"
    HOLD = "never answer"
    SHORT = "declare more bytes than are sent"
    SLOW = "send the body byte by byte"


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request. `path` is still percent-encoded."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response and how it is transmitted."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: RECORDED_HEADERS)
    transmission: Transmission = Transmission.WHOLE
    delay_s: float = 0.0
    transmission_s: float = 0.0


def empty_answer() -> Answer:
    """Return a success without a body."""
    return Answer(204)


def ok() -> Answer:
    """Return the vendor's success response: an empty object and a line feed."""
    return Answer(200, b"{}\n")


def compact(status: int, content: object) -> Answer:
    """Return JSON on one line, as in responses of Track v2 and of the region call."""
    return Answer(status, (json.dumps(content) + "\n").encode())


def pretty(status: int, content: object) -> Answer:
    """Return JSON indented by two blanks, as in error responses of Track v1."""
    return Answer(status, (json.dumps(content, indent=2) + "\n").encode())


def page(status: int, text: str) -> Answer:
    """Return an HTML page."""
    return Answer(status, text.encode("utf-8", "replace"), HTML_HEADERS)


def phrase(status: int) -> str:
    """Return the reason phrase, empty for codes that only proxies know."""
    return responses.get(status, "")


def read_object(body: bytes) -> Json | None:
    """Return the JSON object in a body, or None."""
    try:
        content = read_json(body)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def read_json(body: bytes) -> Any:
    """Return the JSON value of a body: strict JSON in UTF-8, without `NaN` and without a byte order mark.

    Raises ValueError for everything else.
    """
    try:
        return json.loads(body.decode(), parse_constant=_no_json)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _no_json(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
