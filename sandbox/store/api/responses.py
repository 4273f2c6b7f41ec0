"""JSON answers with sorted keys, and JSON bodies read leniently."""

import json
from collections.abc import Iterable
from typing import Any

from flask import Response, abort, request

BAD_REQUEST, NOT_FOUND = 400, 404


def answer(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body, sort_keys=True), status, mimetype="application/json")


def refusal(status: int, *why: str) -> Response:
    """An error in the documented shape: a list with a text for each problem."""
    return answer({"errors": list(why)}, status)


def empty_response() -> Response:
    return Response(status=204)


def refuse(status: int, why: str) -> Any:
    """End the request."""
    abort(refusal(status, why))


def refuse_all(status: int, errors: Iterable[str]) -> Any:
    """End the request with all problems."""
    abort(refusal(status, *errors))


def body() -> dict[str, Any]:
    """The request's JSON object. The official samples send no content type, so none is required."""
    found = read_json(request.get_data())
    return found if isinstance(found, dict) else dict(refuse(BAD_REQUEST, "the body is not a JSON object"))


def optional_body() -> dict[str, Any]:
    """The request's JSON object, or an empty object where the body is optional and absent."""
    return body() if request.get_data() else {}


def read_json(data: bytes) -> Any:
    """JSON in UTF-8 and nothing beyond it (no `NaN`, no byte order mark), or None."""
    try:
        return json.loads(data.decode(), parse_constant=reject_constant)
    except (ValueError, RecursionError):
        return None


def reject_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
