"""The profiles of an account: found by each of their identifiers, two that clash are a conflict, two can be merged."""

import json
import re
import secrets
from typing import Any

from sandbox.klaviyo.errors import Refusal, error, invalid
from sandbox.klaviyo.profile import IDENTIFIERS, Profile

MAX_PROFILE_BYTES = 100_000
MAX_EXTERNAL_ID_CHARACTERS = 255
EXISTS = "A profile already exists with one of these identifiers."
_E164 = re.compile(r"\+\d{7,15}")


class Profiles:
    """All profiles of an account."""

    def __init__(self) -> None:
        """Begin empty."""
        self.all: dict[str, Profile] = {}
        self._index: dict[tuple[str, str], Profile] = {}

    def get(self, profile_id: str) -> Profile:
        """Return the profile with this id, or refuse an id that there is not."""
        if profile_id not in self.all:
            raise Refusal(404, error(404, "not_found", "A profile with this id does not exist."))
        return self.all[profile_id]

    def find(self, attributes: dict[str, Any]) -> list[Profile]:
        """Return the profiles that these identifiers name: none, one, or several that clash."""
        found: list[Profile] = []
        for kind in IDENTIFIERS:
            match = self._index.get((kind, normalise(kind, attributes.get(kind)) or ""))
            if match is not None and match not in found:
                found.append(match)
        return found

    def upsert(self, attributes: dict[str, Any], pointer: str = "/data/attributes") -> tuple[Profile, bool]:
        """Create or update a profile; the second is whether it was created. Two that clash are a conflict."""
        self.check(attributes, pointer)
        found = self.find(attributes)
        if len(found) > 1:
            raise Refusal(409, error(409, "duplicate_profile", EXISTS, pointer, duplicate_profile_id=found[-1].id))
        return self._write(found[0] if found else None, attributes), not found

    def take(self, attributes: dict[str, Any]) -> Profile:
        """Create or update a profile in passing. Of several that clash it is the first, without what the others are."""
        found = self.find(attributes)
        others = {(kind, getattr(one, kind)) for one in found[1:] for kind in IDENTIFIERS}
        own = {
            name: value
            for name, value in attributes.items()
            if name not in IDENTIFIERS or (name, normalise(name, value)) not in others
        }
        return self._write(found[0] if found else None, own)

    def check(self, attributes: Any, pointer: str) -> None:
        """Refuse what is no profile."""
        if not isinstance(attributes, dict):
            raise Refusal(400, invalid("Attributes must be an object.", pointer))
        for kind in IDENTIFIERS:
            if attributes.get(kind) is not None and not isinstance(attributes[kind], str):
                raise Refusal(400, invalid("An identifier must be a text.", f"{pointer}/{kind}"))
        if not any(attributes.get(kind) for kind in IDENTIFIERS):
            raise Refusal(400, invalid("At least one identifier is required.", pointer))
        if attributes.get("id") and attributes["id"] not in self.all:
            raise Refusal(400, invalid("A profile with this id does not exist.", f"{pointer}/id"))
        _check_values(attributes, pointer)

    def merge(self, source_id: str, target_id: str) -> Profile:
        """Move what the source has into the target, and delete the source."""
        if source_id == target_id:
            raise Refusal(400, invalid("A profile cannot be merged into itself.", "/data/relationships/profiles"))
        source, target = self.get(source_id), self.get(target_id)
        self.remove(source)
        self._unlist(target)
        target.absorb(source)
        self._list(target)
        return target

    def remove(self, profile: Profile) -> None:
        """Delete a profile."""
        del self.all[profile.id]
        self._unlist(profile)

    def _write(self, profile: Profile | None, attributes: dict[str, Any]) -> Profile:
        profile = profile or Profile(f"01{secrets.token_hex(12).upper()}")
        self.all[profile.id] = profile
        self._unlist(profile)
        for kind in IDENTIFIERS[1:]:
            if attributes.get(kind) is not None:
                setattr(profile, kind, normalise(kind, attributes[kind]))
        profile.update(attributes)
        self._list(profile)
        return profile

    def _list(self, profile: Profile) -> None:
        self._index |= {(kind, value): profile for kind in IDENTIFIERS if (value := getattr(profile, kind))}

    def _unlist(self, profile: Profile) -> None:
        for kind in IDENTIFIERS:
            self._index.pop((kind, getattr(profile, kind) or ""), None)


def size_of(attributes: dict[str, Any]) -> int:
    """Return the bytes of a profile as JSON."""
    return len(json.dumps(attributes, ensure_ascii=False, separators=(",", ":")).encode())


def normalise(kind: str, value: Any) -> str | None:
    """Return an identifier as profiles are found by it."""
    if not isinstance(value, str) or not value:
        return None
    return value.lower() if kind == "email" else value


def _check_values(attributes: dict[str, Any], pointer: str) -> None:
    email, phone = attributes.get("email"), attributes.get("phone_number")
    if email is not None and "@" not in email:
        raise Refusal(400, invalid("Invalid email address", f"{pointer}/email"))
    if phone is not None and not _E164.fullmatch(phone):
        raise Refusal(400, invalid("Invalid phone number format", f"{pointer}/phone_number"))
    if len(attributes.get("external_id") or "") > MAX_EXTERNAL_ID_CHARACTERS:
        raise Refusal(400, invalid("External id is too long.", f"{pointer}/external_id"))
    for name in ("location", "properties"):
        if not isinstance(attributes.get(name) or {}, dict):
            raise Refusal(400, invalid("An object is required.", f"{pointer}/{name}"))
