"""CartRover's answers: almost everything is HTTP 200 and says in `success_code` whether it worked."""

from typing import Any

from werkzeug.wrappers import Response

from sandbox.warehouse.json_answer import answer

INVALID, FAILURE, RATE_LIMIT = "Invalid", "Failure", "RateLimit"


def success(**members: Any) -> Response:
    """Return `{"success_code": true, …}`."""
    return answer({"success_code": True, **members})


def failure(code: str, message: str, status: int = 200, text_in: str = "message") -> Response:
    """Return an error. Older interfaces have the text in `status_message`, some errors only in `error_response`."""
    body: dict[str, Any] = {"success_code": False, "error_code": code}
    if text_in == "error_response":
        return answer(body | {"message": "", "error_response": {"details": message}}, status)
    return answer(body | {text_in: message}, status)


def over_the_limit() -> Response:
    """Return the answer to a call too many."""
    return failure(RATE_LIMIT, "Over API Limit. Please slow down requests.")
