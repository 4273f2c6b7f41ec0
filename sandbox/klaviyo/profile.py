"""One profile, and how it is changed."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.klaviyo.errors import Refusal, invalid

IDENTIFIERS = ("id", "external_id", "email", "phone_number", "anonymous_id")
OWN_FIELDS = ("first_name", "last_name", "organization", "locale", "title", "image", "location")
_PATCH = "/data/meta/patch_properties"


@dataclass(slots=True)
class Profile:
    """One profile."""

    id: str
    external_id: str | None = None
    email: str | None = None
    phone_number: str | None = None
    anonymous_id: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    is_suppressed: bool = False
    is_subscribed: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the profile as JSON:API."""
        identifiers = {kind: getattr(self, kind) for kind in IDENTIFIERS[1:]}
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

    def update(self, attributes: dict[str, Any]) -> None:
        """Set what is given: null clears, and what is absent stays."""
        for name in OWN_FIELDS:
            if name == "location" and isinstance(attributes.get(name), dict):
                self.fields[name] = {**(self.fields.get(name) or {}), **attributes[name]}
            elif name in attributes:
                self.fields[name] = attributes[name]
        self.properties |= attributes.get("properties") or {}
        self.properties = {name: value for name, value in self.properties.items() if value is not None}

    def patch(self, patch: dict[str, Any]) -> None:
        """Append to lists in properties, and unset properties."""
        for name, value in (patch.get("append") or {}).items():
            kept = self.properties.get(name, [])
            kept = kept if isinstance(kept, list) else [kept]
            self.properties[name] = [*kept, *(value if isinstance(value, list) else [value])]
        unset = patch.get("unset") or []
        for name in [unset] if isinstance(unset, str) else unset:
            self.properties.pop(name, None)

    def absorb(self, source: "Profile") -> None:
        """Take what another profile has and this one has not, and its events."""
        for kind in IDENTIFIERS[1:]:
            setattr(self, kind, getattr(self, kind) or getattr(source, kind))
        self.fields = {**source.fields, **self.fields}
        self.properties = {**source.properties, **self.properties}
        self.events = [*source.events, *self.events]
        self.is_suppressed |= source.is_suppressed
        self.is_subscribed |= source.is_subscribed


def check_patch(patch: dict[str, Any]) -> None:
    """Refuse a patch of properties that is none."""
    if not isinstance(patch.get("append") or {}, dict):
        raise Refusal(400, invalid("An object is required.", f"{_PATCH}/append"))
    unset = patch.get("unset") or []
    if not (isinstance(unset, str) or (isinstance(unset, list) and all(isinstance(one, str) for one in unset))):
        raise Refusal(400, invalid("A name or a list of names is required.", f"{_PATCH}/unset"))
    unknown = sorted(set(patch) - {"append", "unset"})
    if unknown:
        raise Refusal(400, invalid(f"{unknown[0]} is not played here.", _PATCH))
