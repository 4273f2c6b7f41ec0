"""The body of a write of a member: which fields there are, and what each may be."""

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.mailchimp.call import Json
from sandbox.mailchimp.dates import read_time
from sandbox.mailchimp.merge_values import check_schema
from sandbox.mailchimp.problems import Problem, invalid, invalid_field

PUT_STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")
PATCH_STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending")
TIMES = ("timestamp_signup", "timestamp_opt")
KEPT = ("email_type", "language", "vip", "location", "interests", "ip_signup", "ip_opt")


def check_body(body: Json, statuses: tuple[str, ...]) -> None:
    """Raise a Problem that names every field of the wrong shape."""
    errors: list[tuple[str, str]] = []
    for name, value in body.items():
        try:
            if name in ("status", "status_if_new"):
                _check_status(name, value, statuses)
            elif name in CHECKS:
                CHECKS[name](name, value)
        except Problem as problem:
            errors += problem.errors
    if errors:
        raise invalid(errors=errors)


def read_details(body: Json) -> Json:
    """Return what of the body is kept as it is."""
    kept = {name: body[name] for name in KEPT if name in body}
    return {**kept, **{name: read_time(name, body[name]) for name in TIMES if body.get(name)}}


def _check_status(name: str, value: Any, statuses: tuple[str, ...]) -> None:
    if value not in statuses:
        raise invalid_field(name, f"The status is one of {', '.join(statuses)}.")


def _is_a(kind: type, word: str) -> Callable[[str, Any], None]:
    def check(name: str, value: Any) -> None:
        if not isinstance(value, kind):
            raise invalid_field(name, f"Schema describes {word}.")

    return check


def _check_email_type(name: str, value: Any) -> None:
    if value not in ("html", "text"):
        raise invalid_field(name, "The type is html or text.")


def _check_ip(name: str, value: Any) -> None:
    try:
        ipaddress.ip_address(value if isinstance(value, str) else "")
    except ValueError:
        if value != "":
            raise invalid_field(name, "This is not a valid IP address.") from None


def _check_time(name: str, value: Any) -> None:
    if value != "":
        read_time(name, value)


def _check_interests(name: str, value: Any) -> None:
    if not isinstance(value, dict) or not all(isinstance(one, bool) for one in value.values()):
        raise invalid_field(name, "Schema describes object of booleans.")


def _check_permissions(name: str, value: Any) -> None:
    entries = value if isinstance(value, list) else [None]
    for one in entries:
        if not isinstance(one, dict) or not isinstance(one.get("marketing_permission_id"), str):
            raise invalid_field(name, "Schema describes array of permissions.")
        if not isinstance(one.get("enabled"), bool):
            raise invalid_field(f"{name}.enabled", "Schema describes boolean.")


CHECKS: Mapping[str, Callable[[str, Any], None]] = {
    "merge_fields": lambda _name, value: check_schema(value),
    "email_type": _check_email_type,
    "language": _is_a(str, "string"),
    "vip": _is_a(bool, "boolean"),
    "location": _is_a(dict, "object"),
    "interests": _check_interests,
    "marketing_permissions": _check_permissions,
    "ip_signup": _check_ip,
    "ip_opt": _check_ip,
    "timestamp_signup": _check_time,
    "timestamp_opt": _check_time,
}
