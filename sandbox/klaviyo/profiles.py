"""The profiles of an account: found by each of their identifiers, two that clash are a conflict, two can be merged."""

import re
import secrets
from dataclasses import dataclass, field
from typing import Any

from sandbox.klaviyo.errors import Refusal, error, invalid

IDENTIFIERS = ("id", "external_id", "email", "phone_number")
OWN_FIELDS = ("first_name", "last_name", "organization", "locale", "title", "image", "location")
MAX_PROFILE_BYTES = 100_000
MAX_EXTERNAL_ID_CHARACTERS = 255
_E164 = re.compile(r"\+\d{7,15}")


@dataclass(slots=True)
class Profile:
    """One profile."""

    id: str
    external_id: str | None = None
    email: str | None = None
    phone_number: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    is_suppressed: bool = False
    is_subscribed: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the profile as JSON:API."""
        identifiers = {"external_id": self.external_id, "email": self.email, "phone_number": self.phone_number}
        attributes = {**identifiers, **self.fields, "properties": self.properties}
        links = {"self": f"https://a.klaviyo.com/api/profiles/{self.id}/"}
        return {"type": "profile", "id": self.id, "attributes": attributes, "links": links}

    def as_person(self) -> dict[str, Any]:
        """Return the profile as the comparison with the store reads people of any platform."""
        location = self.fields.get("location") or {}
        places = {name: location[name] for name in ("city", "region", "country") if location.get(name)}
        names = {name: value for name, value in self.fields.items() if name != "location" and value is not None}
        phone = {"phone": self.phone_number} if self.phone_number else {}
        return {
            "cio_id": self.id,
            "id": self.external_id or "",
            "email": self.email,
            "attributes": {**self.properties, **names, **places, **phone},
            "events": self.events,
        }


class Profiles:
    """All profiles of an account."""

    def __init__(self) -> None:
        """Begin empty."""
        self.all: dict[str, Profile] = {}

    def find(self, attributes: dict[str, Any]) -> list[Profile]:
        """Return the profiles that these identifiers name: none, one, or several that clash."""
        found = []
        for kind in IDENTIFIERS:
            value = _normalise(kind, attributes.get(kind))
            match = next((one for one in self.all.values() if value is not None and getattr(one, kind) == value), None)
            if match is not None and match not in found:
                found.append(match)
        return found

    def upsert(self, attributes: dict[str, Any], pointer: str = "/data/attributes") -> tuple[Profile, bool]:
        """Create or update a profile; the second is whether it was created. Two that clash are a conflict."""
        self.check(attributes, pointer)
        found = self.find(attributes)
        if len(found) > 1:
            text = "A profile already exists with one of these identifiers."
            raise Refusal(409, error(409, "duplicate_profile", text, pointer, duplicate_profile_id=found[-1].id))
        is_new = not found
        profile = found[0] if found else Profile(f"01{secrets.token_hex(12).upper()}")
        self.all[profile.id] = profile
        _update(profile, attributes)
        return profile, is_new

    def check(self, attributes: Any, pointer: str) -> None:
        """Refuse what is no profile."""
        if not isinstance(attributes, dict):
            raise Refusal(400, invalid("Attributes must be an object.", pointer))
        if not any(attributes.get(kind) for kind in IDENTIFIERS):
            raise Refusal(400, invalid("At least one identifier is required.", pointer))
        email, phone = attributes.get("email"), attributes.get("phone_number")
        if email is not None and (not isinstance(email, str) or "@" not in email):
            raise Refusal(400, invalid("Invalid email address", f"{pointer}/email"))
        if phone is not None and not (isinstance(phone, str) and _E164.fullmatch(phone)):
            raise Refusal(400, invalid("Invalid phone number format", f"{pointer}/phone_number"))
        if len(str(attributes.get("external_id") or "")) > MAX_EXTERNAL_ID_CHARACTERS:
            raise Refusal(400, invalid("External id is too long.", f"{pointer}/external_id"))

    def merge(self, source_id: str, target_id: str) -> Profile:
        """Move what the source has into the target, and delete the source."""
        if source_id == target_id or not {source_id, target_id} <= self.all.keys():
            raise Refusal(404, error(404, "not_found", "A profile with this id does not exist."))
        source, target = self.all.pop(source_id), self.all[target_id]
        for kind in IDENTIFIERS[1:]:
            if getattr(source, kind) is not None and getattr(target, kind) is None:
                setattr(target, kind, getattr(source, kind))
        target.fields = {**source.fields, **target.fields}
        target.properties = {**source.properties, **target.properties}
        target.events = [*source.events, *target.events]
        target.is_suppressed |= source.is_suppressed
        return target


def _normalise(kind: str, value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    return value.lower() if kind == "email" else value


def _update(profile: Profile, attributes: dict[str, Any]) -> None:
    for kind in IDENTIFIERS[1:]:
        if attributes.get(kind) is not None:
            setattr(profile, kind, _normalise(kind, attributes[kind]))
    for name in OWN_FIELDS:
        if name == "location" and isinstance(attributes.get(name), dict):
            profile.fields[name] = {**profile.fields.get(name, {}), **attributes[name]}
        elif name in attributes:
            profile.fields[name] = attributes[name]
    profile.properties |= attributes.get("properties") or {}
    profile.properties = {name: value for name, value in profile.properties.items() if value is not None}
