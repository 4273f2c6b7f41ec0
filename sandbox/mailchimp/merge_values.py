"""The values of merge fields: what each type takes, what it makes of it, and how it refuses it."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sandbox.mailchimp.call import Json
from sandbox.mailchimp.merge_fields import MergeField, MergeFields
from sandbox.mailchimp.problems import MERGE_INVALID, Problem, invalid

MAX_TEXT_BYTES = 255
ADDRESS_PARTS = ("addr1", "addr2", "city", "state", "zip", "country")
REQUIRED_PARTS = ("addr1", "city", "state", "zip")
NO_SCHEMA = "Data did not match any of the schemas described in anyOf."
_DATES = (
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})"),
    re.compile(r"(?P<y>\d{4})/(?P<m>\d{2})/(?P<d>\d{2})"),
    re.compile(r"(?P<d>\d{2})-(?P<m>\d{2})-(?P<y>\d{4})"),
    re.compile(r"(?P<m>\d{2})/(?P<d>\d{2})/(?P<y>\d{4})"),
)
_BIRTHDAY = re.compile(r"(0[1-9]|1[0-2])/(0[1-9]|[12]\d|3[01])")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
_ZIP = re.compile(r"\d{5}")
_URL = re.compile(r"https?://[^\s/]+\.[^\s]+")


class BadValue(ValueError):
    """A value that a field does not take; the text is the message of the field."""


def check_schema(given: Any) -> None:
    """Raise a Problem unless the values are strings, numbers and objects of strings. No flag lifts this."""
    if not isinstance(given, dict):
        raise invalid(errors=[("merge_fields", "Schema describes object.")])
    errors = [(f"merge_fields.{tag}", NO_SCHEMA) for tag, value in given.items() if not _has_schema(value)]
    if errors:
        raise invalid(errors=errors)


def _has_schema(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(part, str) for part in value.values())
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def merge(fields: MergeFields, stored: Json, given: Json, *, skip: bool, refuses_unknown: bool) -> Json:
    """Return the values after a write: an absent tag keeps its value, an empty one is cleared.

    Raises a Problem for an object in a field that is no address, and, unless `skip`, for every value that its field
    does not take, for an incomplete address that is stored already, and for required fields that stay empty.
    """
    objects = [tag for tag, value in given.items() if isinstance(value, dict) and _kind(fields, tag) != "address"]
    if objects:
        raise invalid(errors=[(f"merge_fields.{tag}", NO_SCHEMA) for tag in objects])
    unknown = [tag for tag in given if fields.get(tag) is None]
    if unknown and refuses_unknown:
        raise invalid(errors=[(f"merge_fields.{tag}", "This field does not exist.") for tag in unknown])
    values = dict(stored)
    errors = []
    for field in fields:
        value = given.get(field.tag, stored.get(field.tag, ""))
        try:
            values[field.tag] = _read(field, value)
        except BadValue as bad:
            values[field.tag] = value
            if field.tag in given or field.type == "address":
                errors.append((field.tag, str(bad)))
        if field.required and value == "":
            errors.append((field.tag, "Please enter a value"))
    if errors and not skip:
        raise Problem(400, "Invalid Resource", MERGE_INVALID, errors)
    return values


def _kind(fields: MergeFields, tag: str) -> str:
    field = fields.get(tag)
    return "address" if field is None else field.type  # an unknown tag may hold anything


def _read(field: MergeField, value: Any) -> Any:
    return "" if value == "" else READERS[field.type](field, value)


def _text(_field: MergeField, value: Any) -> str:
    return str(value).encode()[:MAX_TEXT_BYTES].decode(errors="ignore")


def _number(_field: MergeField, value: Any) -> float | int:
    if isinstance(value, int | float):
        return value
    if not _NUMBER.fullmatch(str(value).strip()):
        raise BadValue("Please enter a number")
    found = float(value)
    return int(found) if found.is_integer() else found


def _date(_field: MergeField, value: Any) -> str:
    found = next((match for form in _DATES if (match := form.fullmatch(str(value)))), None)
    try:
        if found is not None:
            return date(int(found["y"]), int(found["m"]), int(found["d"])).isoformat()
    except ValueError:
        pass
    raise BadValue("Please enter the date")


def _address(_field: MergeField, value: Any) -> Json:
    if not isinstance(value, dict) or not all(value.get(part) for part in REQUIRED_PARTS):
        raise BadValue("Please enter a complete address")
    return {part: value.get(part, "") for part in ADDRESS_PARTS}


def _matching(form: re.Pattern[str], message: str) -> Callable[[MergeField, Any], str]:
    def read(_field: MergeField, value: Any) -> str:
        if not form.fullmatch(str(value)):
            raise BadValue(message)
        return str(value)

    return read


def _choice(field: MergeField, value: Any) -> str:
    if str(value) not in field.options.get("choices", ()):
        raise BadValue("Please enter one of the choices")
    return str(value)


READERS: Mapping[str, Callable[[MergeField, Any], Any]] = {
    "text": _text,
    "phone": _text,
    "number": _number,
    "date": _date,
    "birthday": _matching(_BIRTHDAY, "Please enter a month (01-12) and a day (01-31)"),
    "address": _address,
    "zip": _matching(_ZIP, "Please enter a zip code (5 digits)"),
    "url": _matching(_URL, "Please enter a valid URL"),
    "imageurl": _matching(_URL, "Please enter the URL of an image"),
    "radio": _choice,
    "dropdown": _choice,
}
