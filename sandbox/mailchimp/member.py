"""A member of an audience, as it is kept and as the API shows it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.mailchimp.addresses import hash_address
from sandbox.mailchimp.call import Json
from sandbox.mailchimp.dates import iso
from sandbox.mailchimp.merge_fields import MergeField

MAX_SHOWN_TAGS = 50
BILLED = ("subscribed", "unsubscribed", "transactional")
STATUS_WORDS = {"transactional": "Non-Subscribed"}  # others are capitalised
PLAIN_TEXTS = ("email_type", "language", "ip_signup", "ip_opt")


@dataclass(slots=True)
class Event:
    """An event of a member. `at` and `stored_at` are seconds since the epoch; `number` counts arrivals."""

    number: int
    name: str
    at: float
    stored_at: float
    properties: dict[str, str]
    is_syncing: bool

    def as_json(self) -> Json:
        """Return what the API shows: there is no id."""
        return {"occurred_at": iso(self.at), "name": self.name, "properties": self.properties}


@dataclass(slots=True)
class Member:
    """A contact in one audience.

    `set_by`: person, admin, api or bounce. `compliance`: why no call may subscribe them.
    """

    number: int
    contact_id: str
    unique_email_id: str
    address: str
    status: str
    created_at: float
    changed_at: float
    status_at: float
    set_by: str = "api"
    compliance: str | None = None
    merge: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, float] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    details: Json = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """Return the key, which changes with the address."""
        return hash_address(self.address)

    @property
    def status_word(self) -> str:
        """Return the status as messages name it."""
        return STATUS_WORDS.get(self.status, self.status.capitalize())

    def as_json(self, list_id: str, fields: Iterable[MergeField], tag_ids: dict[str, int], base: str) -> Json:
        """Return the member as the API shows it."""
        details = self.details
        texts = {name: details.get(name, "html" if name == "email_type" else "") for name in PLAIN_TEXTS}
        values = {one.tag: self.merge.get(one.tag, "") for one in fields}
        names = [str(values.get(tag) or "") for tag in ("FNAME", "LNAME")]
        tags = [{"id": tag_ids[name], "name": name} for name in self.tags]
        here = f"{base}/lists/{list_id}/members"
        return {
            "id": self.hash,
            "email_address": self.address,
            "unique_email_id": self.unique_email_id,
            "contact_id": self.contact_id,
            "full_name": " ".join(name for name in names if name),
            "web_id": self.number,
            "status": self.status,
            "merge_fields": values,
            "interests": details.get("interests", {}),
            "stats": {"avg_open_rate": 0, "avg_click_rate": 0},
            **texts,
            "timestamp_signup": iso(details.get("timestamp_signup")),
            "timestamp_opt": iso(details.get("timestamp_opt")),
            "member_rating": 2,
            "last_changed": iso(self.changed_at),
            "vip": details.get("vip", False),
            "email_client": "",
            "location": {"latitude": 0, "longitude": 0, **details.get("location", {})},
            "source": "API - Generic",
            "tags_count": len(tags),
            "tags": tags[:MAX_SHOWN_TAGS],
            "list_id": list_id,
            "_links": [
                {"rel": "self", "href": f"{here}/{self.hash}", "method": "GET"},
                {"rel": "parent", "href": here, "method": "GET"},
                {"rel": "upsert", "href": f"{here}/{self.hash}", "method": "PUT"},
            ],
        }
