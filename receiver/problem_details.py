"""Problem details (RFC 9457): the body of every error under /api/, also of those that no application answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from receiver.hooks.rules import Answer

PROBLEM_TYPE = "application/problem+json"
API_SEGMENT = "api"  # the first of a path


def build_problem(status: int, detail: str, **more: Any) -> dict[str, Any]:
    """Build the body of an error. `more`: members that only some problems have, such as `errors`."""
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}


def is_of_api(path: str) -> bool:
    """Return whether a path is one of the API."""
    return path.lstrip("/").partition("/")[0] == API_SEGMENT


def convert_to_problem(answer: Answer) -> Answer:
    """Return an answer of the web process, whose body is a text, as a problem."""
    code = int(answer.status[:3])
    kept = [(name, value) for name, value in answer.headers if name.lower() not in ("content-type", "content-length")]
    body = encode_problem(build_problem(code, _read_text(answer.body) or HTTPStatus(code).phrase))
    return Answer(answer.status, [*kept, ("Content-Type", PROBLEM_TYPE), ("Content-Length", str(len(body)))], body)


def encode_problem(problem: Mapping[str, Any]) -> bytes:
    """Return the problem as JSON."""
    return json.dumps(problem, ensure_ascii=False).encode()


def _read_text(body: bytes) -> str:
    """Return the text of a body: that of its `error`, if it is JSON."""
    try:
        said = json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace").strip()
    return str(said.get("error", "")) if isinstance(said, dict) else ""
