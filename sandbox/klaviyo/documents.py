"""Reads JSON:API documents, and refuses what is none with a pointer to its place."""

import json
from typing import Any

from sandbox.klaviyo.errors import Refusal, error, invalid

Json = dict[str, Any]
MAX_CALL_BYTES = 5_000_000


def read_resource(body: bytes, kind: str, most_bytes: int = MAX_CALL_BYTES) -> Json:
    """Return `data` of a document, which must be of this type."""
    if len(body) > most_bytes:
        raise Refusal(413, error(413, "too_large", f"The call is over {most_bytes} bytes."))
    try:
        document = json.loads(body)
    except ValueError:
        raise Refusal(400, invalid("The request body is no JSON.")) from None
    data = as_object(as_object(document, "").get("data"), "/data")
    if data.get("type") != kind:
        raise Refusal(400, invalid(f"The type must be {kind}.", "/data/type"))
    return data


def read_attributes(body: bytes, kind: str) -> Json:
    """Return the attributes of a document of this type."""
    return as_object(read_resource(body, kind).get("attributes"), "/data/attributes")


def read_profiles(attributes: Json, most: int) -> list[tuple[str, Json]]:
    """Return the profiles of a job's attributes, each with the pointer to it."""
    place = "/data/attributes/profiles/data"
    profiles = as_object(attributes.get("profiles"), "/data/attributes/profiles").get("data")
    if not isinstance(profiles, list) or not 0 < len(profiles) <= most:
        raise Refusal(400, invalid(f"One to {most} profiles are required.", place))
    return [(f"{place}/{number}", read_profile(one, f"{place}/{number}")) for number, one in enumerate(profiles)]


def read_profile(data: Any, pointer: str) -> Json:
    """Return the attributes of a profile in a document, with its `id` if it has one."""
    profile = as_object(data, pointer)
    if profile.get("type") != "profile":
        raise Refusal(400, invalid("The type must be profile.", f"{pointer}/type"))
    named = {"id": profile["id"]} if profile.get("id") else {}
    return {**as_object(profile.get("attributes") or {}, f"{pointer}/attributes"), **named}


def as_object(value: Any, pointer: str) -> Json:
    """Return an object, or refuse what is none."""
    if not isinstance(value, dict):
        raise Refusal(400, invalid("An object is required.", pointer))
    return value
