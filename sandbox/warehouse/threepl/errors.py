"""Errors in the vendor's form: a .NET `$type`, members in PascalCase, and an ErrorCode."""

import json
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

NAMESPACE = "WMS.V2.Generic.Models.Exceptions"


class ApiError(Exception):
    """Ends a request with an error."""

    def __init__(self, status: int, kind: str, members: Mapping[str, Any]) -> None:
        """`kind` is the name of the vendor's exception."""
        super().__init__(kind)
        self.status = status
        self.body = {"$type": f"{NAMESPACE}.{kind}, WMS.V2.Generic.Models", **members}

    def to_response(self) -> Response:
        """Return the answer."""
        return Response(json.dumps(self.body), self.status, content_type="application/json; charset=utf-8")


def invalid_model(code: str, *properties: tuple[str, object]) -> ApiError:
    """400: the body is wrong; `properties` are pairs of a name and the value found."""
    named = [{"Name": name, "Value": None if value is None else str(value)} for name, value in properties]
    return ApiError(
        400, "ModelValidationException", {"ModelType": 0, "Properties": named, "ErrorCode": code, "Hint": ""}
    )


def invalid_query(code: str, parameter: str, value: str) -> ApiError:
    """400: a parameter of the query is wrong."""
    parameters = [{"Name": parameter, "Value": value}]
    return ApiError(400, "QueryParameterException", {"Parameters": parameters, "ErrorCode": code, "Hint": ""})


def refused(code: str, hint: str = "") -> ApiError:
    """403: the order does not allow it."""
    return ApiError(403, "OperationException", {"ErrorCode": code, "Hint": hint})


def not_permitted(hint: str) -> ApiError:
    """403: the role is missing."""
    return ApiError(403, "AuthorizationException", {"ErrorCode": "NotAuthorized", "Hint": hint})


def not_found() -> ApiError:
    """404."""
    return ApiError(404, "ResourceNotFoundException", {"ErrorCode": "NotFound", "Hint": ""})


def precondition_failed() -> ApiError:
    """412: the order has changed since its ETag was read."""
    return ApiError(412, "PreconditionFailedException", {"ErrorCode": "PreconditionFailed", "Hint": ""})


def precondition_required() -> ApiError:
    """428: there is no If-Match."""
    return ApiError(428, "PreconditionRequiredException", {"ErrorCode": "PreconditionRequired", "Hint": "If-Match"})
