"""Builds Klaviyo's profiles: its own fields where it has them, all else as properties (Klaviyo docs, Profiles API)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipeline.core.messages import Message, PersonRef, Rejected
from pipeline.destinations.json_text import drop_not_finite, shorten_texts, to_json

CUSTOMER_ID_PREFIX = "cj_"
MAX_PROFILE_BYTES = 100_000
MAX_PROPERTIES = 300  # Klaviyo docs say 400, its older ones 300
_ENVELOPE_BYTES = 2_000  # of a call around the properties, at most
_OWN_FIELDS = ("first_name", "last_name")
_LOCATION_FIELDS = ("city", "region", "country")
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_WRITTEN_BETWEEN_DIGITS = re.compile(r"[\s().-]+")


def build_profile(message: Message) -> tuple[dict[str, Any], tuple[str, ...]] | Rejected:
    """Return the profile as JSON:API, and notes; or the Rejected that says why it cannot be sent.

    The telephone number is a property of it; see `build_phone` for Klaviyo's own field.
    """
    named = identify(message.person, is_whole=True)
    if not named:
        return Rejected("no_identifier", "neither a customer id nor an e-mail address is known")
    data, notes = _keep_allowed(drop_not_finite(message.data), keeps_none=message.has_profile)
    fitted = shorten_texts(data, MAX_PROFILE_BYTES - _ENVELOPE_BYTES)
    if fitted is None:
        return Rejected("too_large", "the profile is too long, even with its texts cut")
    attributes = {**named, **_sort_attributes(fitted[0])}
    return {"type": "profile", "attributes": attributes}, (*notes, *fitted[1])


def build_phone(message: Message) -> dict[str, Any] | None:
    """Return the person's profile with nothing but `phone_number`; None without a number in the form Klaviyo takes.

    A call of its own, because Klaviyo also finds profiles by it: two people of one household may have the same number,
    and a profile with the number of another person would replace that person.
    """
    phone, named = _read_phone(message.data.get("phone")), identify(message.person, is_whole=False)
    return {"type": "profile", "attributes": {**named, "phone_number": phone}} if phone and named else None


def identify(person: PersonRef, *, is_whole: bool) -> dict[str, str]:
    """Return the identifiers. `is_whole`: all of them; else one, which cannot clash with another profile."""
    named = {}
    if person.customer_id is not None:
        named["external_id"] = f"{CUSTOMER_ID_PREFIX}{person.customer_id}"
    if person.email and (is_whole or not named):
        named["email"] = person.email
    return named


def profile_body(profile: Mapping[str, Any]) -> bytes:
    """Return the body of `profile-import`."""
    return to_json({"data": profile})


def without_email(profile: Mapping[str, Any]) -> dict[str, Any]:
    """Return the profile as it is, but for its address."""
    kept = {name: value for name, value in profile["attributes"].items() if name != "email"}
    return {**profile, "attributes": kept}


def _keep_allowed(data: Mapping[str, Any], *, keeps_none: bool) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return at most as many attributes as a profile may have. None clears one, which a new profile does not need."""
    kept = {name: value for name, value in data.items() if keeps_none or value is not None}
    if len(kept) <= MAX_PROPERTIES:
        return kept, ()
    return dict(sorted(kept.items())[:MAX_PROPERTIES]), (f"dropped:{len(kept) - MAX_PROPERTIES} attributes",)


def _sort_attributes(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return Klaviyo's own fields, and the others under `properties`."""
    own = {name: data[name] for name in _OWN_FIELDS if name in data}
    location = {name: data[name] for name in _LOCATION_FIELDS if name in data}
    properties = {name: value for name, value in data.items() if name not in own and name not in location}
    return {**own, **({"location": location} if location else {}), "properties": properties}


def _read_phone(value: Any) -> str | None:
    """Return the number in E.164, the only form that Klaviyo takes; None if it is in another."""
    number = _WRITTEN_BETWEEN_DIGITS.sub("", value) if isinstance(value, str) else ""
    return number if _E164.fullmatch(number) else None
