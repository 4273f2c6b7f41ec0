"""The merge fields of an audience: their types and limits, and the calls that make, change and delete them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.mailchimp.call import Json
from sandbox.mailchimp.problems import invalid, invalid_field

TYPES = ("text", "number", "address", "phone", "date", "url", "imageurl", "radio", "dropdown", "birthday", "zip")
WITH_CHOICES = ("radio", "dropdown")
MAX_TAG_CHARACTERS = 10
MAX_FIELDS = 30
MAX_PREMIUM_FIELDS = 80
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "text": {"size": 25},
    "address": {"default_country": 164},
    "phone": {"phone_format": "US"},
    "date": {"date_format": "MM/DD/YYYY"},
    "birthday": {"date_format": "MM/DD"},
    "radio": {"choices": []},
    "dropdown": {"choices": []},
}
_TAG = re.compile(r"[A-Z0-9_]+")
_TEXTS = ("name", "default_value", "help_text")
_FLAGS = ("required", "public")
DEFAULT_FIELDS = (
    ("FNAME", "First Name", "text"),
    ("LNAME", "Last Name", "text"),
    ("ADDRESS", "Address", "address"),
    ("PHONE", "Phone Number", "phone"),
    ("BIRTHDAY", "Birthday", "birthday"),
)


@dataclass(slots=True)
class MergeField:
    """A field. `merge_id` counts from 1 and is never used again."""

    merge_id: int
    tag: str
    name: str
    type: str
    required: bool = False
    default_value: str = ""
    public: bool = False
    display_order: int = 0
    options: Json = field(default_factory=dict)
    help_text: str = ""

    def as_json(self, list_id: str) -> Json:
        """Return the field as the API shows it."""
        names = (*(name for name in MergeField.__slots__ if name != "options"),)
        shown = {name: getattr(self, name) for name in names}
        return {**shown, "options": {**OPTIONS.get(self.type, {}), **self.options}, "list_id": list_id}


class MergeFields:
    """The fields of one audience, in the order in which they were made."""

    def __init__(self) -> None:
        """Begin with those that every new audience has."""
        self._last_id = 0
        self.by_tag: dict[str, MergeField] = {}
        for tag, name, kind in DEFAULT_FIELDS:
            self._add(tag, name, kind, public=tag != "ADDRESS")

    def __iter__(self) -> Any:
        """Iterate over the fields."""
        return iter(self.by_tag.values())

    def __len__(self) -> int:
        """Return how many there are, without EMAIL."""
        return len(self.by_tag)

    def get(self, tag: str) -> MergeField | None:
        """Return the field with this tag."""
        return self.by_tag.get(tag)

    def find(self, merge_id: str) -> MergeField | None:
        """Return the field with this id."""
        return next((one for one in self if str(one.merge_id) == merge_id), None)

    def remove(self, one: MergeField) -> None:
        """Forget a field."""
        del self.by_tag[one.tag]

    def create(self, body: Json, limit: int) -> MergeField:
        """Make a field. `limit`: how many the audience may have."""
        for name in ("name", "type"):
            if body.get(name) in (None, ""):
                raise invalid_field(name, "This value should not be blank.")
        _check(body)
        if len(self) >= limit:
            raise invalid(f"This audience has {limit} merge fields already, which is the most that it can have.")
        tag = body.get("tag") or f"MMERGE{self._last_id + 1}"
        self._check_tag(tag)
        one = self._add(tag, body["name"], body["type"])
        _set(one, body)
        return one

    def change(self, one: MergeField, body: Json) -> None:
        """Change a field. Its type cannot change; a given one is ignored."""
        _check_options("", body.get("options", {}))
        _check({**body, "type": one.type, "options": {**one.options, **body.get("options", {})}})
        if body.get("tag") not in (None, "", one.tag):
            self._check_tag(body["tag"])
            kept = [field for field in self if field is not one]
            one.tag = body["tag"]
            self.by_tag = {field.tag: field for field in sorted([*kept, one], key=lambda field: field.merge_id)}
        _set(one, body)

    def _add(self, tag: str, name: str, kind: str, *, public: bool = False) -> MergeField:
        self._last_id += 1
        one = MergeField(self._last_id, tag, name, kind, public=public, display_order=self._last_id + 1)
        self.by_tag[tag] = one
        return one

    def _check_tag(self, tag: Any) -> None:
        if not isinstance(tag, str) or not _TAG.fullmatch(tag):
            raise invalid_field("tag", "A tag has upper-case letters, digits and underscores only.")
        if len(tag) > MAX_TAG_CHARACTERS:
            raise invalid_field("tag", f"A tag has at most {MAX_TAG_CHARACTERS} characters.")
        if tag in self.by_tag or tag == "EMAIL":
            raise invalid_field("tag", f"The tag {tag} is taken.")


def _check(body: Json) -> None:
    if body["type"] not in TYPES:
        raise invalid_field("type", f"The type is one of {', '.join(TYPES)}.")
    for name in _TEXTS:
        if not isinstance(body.get(name, ""), str):
            raise invalid_field(name, "Schema describes string.")
    for name in _FLAGS:
        if not isinstance(body.get(name, False), bool):
            raise invalid_field(name, "Schema describes boolean.")
    _check_options(body["type"], body.get("options", {}))


def _check_options(kind: str, options: Any) -> None:
    if not isinstance(options, dict):
        raise invalid_field("options", "Schema describes object.")
    if options.get("phone_format", "US") not in ("US", "International"):
        raise invalid_field("options.phone_format", "The format is US or International.")
    choices = options.get("choices", [])
    if not isinstance(choices, list) or not all(isinstance(choice, str) for choice in choices):
        raise invalid_field("options.choices", "Schema describes array of strings.")
    if kind in WITH_CHOICES and not choices:
        raise invalid_field("options.choices", "This value should not be blank.")


def _set(one: MergeField, body: Json) -> None:
    for name in (*_TEXTS, *_FLAGS, "display_order"):
        if name in body:
            setattr(one, name, body[name])
    one.options = {**one.options, **body.get("options", {})}
