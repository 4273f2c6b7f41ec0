"""JSON answers with sorted keys, and JSON bodies read leniently."""

import json
from typing import Any

from flask import Response, abort, request

BAD_REQUEST, NOT_FOUND = 400, 404


def answer(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body, sort_keys=True), status, mimetype="application/json")


def refusal(status: int, why: str) -> Response:
    """An error. The shape of Cratejoy's own is not documented, so nobody may depend on this one."""
    return answer({"error": why}, status)


def nothing() -> Response:
    return Response(status=204)


def refuse(status: int, why: str) -> Any:
    """End the request here."""
    abort(refusal(status, why))


def body() -> dict[str, Any]:
    """The request's JSON object. The official samples send no content type, so none is asked for."""
    read = request.get_json(force=True, silent=True)
    return read if isinstance(read, dict) else dict(refuse(BAD_REQUEST, "the body is not a JSON object"))


def truthy(value: Any) -> bool:
    """Booleans come as JSON or as text: an official script sends "True"."""
    return value.strip().lower() in {"true", "1"} if isinstance(value, str) else bool(value)


def whole(value: Any) -> int:
    """A number, or the text of one: the documents' samples send ids as text."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return int(refuse(BAD_REQUEST, "a whole number is expected"))
