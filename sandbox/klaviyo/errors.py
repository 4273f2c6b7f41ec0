"""Errors as JSON:API has them, and how Klaviyo names them."""

import uuid
from typing import Any


class Refusal(Exception):
    """A call that is answered with an error. `errors`: as `error` makes them."""

    def __init__(self, status: int, *errors: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        """Answer with this status."""
        super().__init__(status)
        self.status = status
        self.errors = list(errors)
        self.headers = headers or {}


def error(status: int, code: str, detail: str, pointer: str = "/data", **meta: Any) -> dict[str, Any]:
    """Return one entry of `errors`."""
    named = {"id": str(uuid.uuid4()), "status": status, "code": code, "title": detail, "detail": detail}
    return {**named, "source": {"pointer": pointer}, "links": {}, "meta": meta}


def invalid(detail: str, pointer: str = "/data") -> dict[str, Any]:
    """Return the entry for an invalid value at this place."""
    return error(400, "invalid", detail, pointer)
