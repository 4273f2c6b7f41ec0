"""An audience (a list): its members, its fields, its tags, and the addresses that were permanently deleted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.mailchimp.addresses import hash_address
from sandbox.mailchimp.call import Json
from sandbox.mailchimp.dates import iso
from sandbox.mailchimp.member import BILLED, Member
from sandbox.mailchimp.merge_fields import MergeField, MergeFields
from sandbox.mailchimp.problems import invalid_field

STATS_CACHED_S = 300
PENDING_LASTS_S = 60 * 86_400
PERMISSIONS = ("Email", "Direct Mail", "Customized Online Advertising")


@dataclass(slots=True)
class Audience:
    """An audience. `double_optin` and `has_welcome` are what the merchant has set.

    `members` are by hash; `forgotten` are the hashes of permanently deleted addresses; `automations` are what would
    have sent mail or started automations.
    """

    id: str
    web_id: int
    name: str
    created_at: float
    draw_id: Callable[[], str]
    double_optin: bool = False
    has_welcome: bool = False
    marketing_permissions: bool = False
    members: dict[str, Member] = field(default_factory=dict)
    fields: MergeFields = field(default_factory=MergeFields)
    automations: list[Json] = field(default_factory=list)
    forgotten: set[str] = field(default_factory=set)
    overused: set[str] = field(default_factory=set)
    tag_ids: dict[str, int] = field(default_factory=dict)
    count: int = 0
    _by_contact: dict[str, Member] = field(default_factory=dict)
    _stats: tuple[float, Json] | None = None

    def __iter__(self) -> Iterator[Member]:
        """Iterate over everyone, in the order of arrival."""
        return iter(self._by_contact.values())

    def find(self, key: str) -> Member | None:
        """Return the member with this hash, address or contact id."""
        return self.find_hash(key) or self._by_contact.get(key) or (self.find_address(key) if "@" in key else None)

    def find_hash(self, key: str) -> Member | None:
        """Return the member with this hash, in any case."""
        return self.members.get(key.lower())

    def find_address(self, address: str) -> Member | None:
        """Return the member with this address."""
        return self.members.get(hash_address(address))

    def add(self, address: str, status: str, now: float) -> Member:
        """Add a member."""
        self.count += 1
        member = Member(self.count, self.draw_id(), self.draw_id()[:10], address, status, now, now, now)
        self.members[member.hash] = self._by_contact[member.contact_id] = member
        return member

    def move(self, member: Member, address: str) -> None:
        """Give a member another address, and with it another hash."""
        del self.members[member.hash]
        member.address = address
        self.members[member.hash] = member

    def remove(self, member: Member) -> None:
        """Remove a member with everything that is kept of them."""
        del self.members[member.hash], self._by_contact[member.contact_id]

    def forget(self, member: Member) -> None:
        """Remove a member, and let no call bring the address back."""
        self.remove(member)
        self.forgotten.add(member.hash)

    def start(self, member: Member, kind: str, name: str, age_s: float = 0.0) -> None:
        """Note that this would have started automations or sent mail. `age_s`: how long ago it happened."""
        entry = {"kind": kind, "person": member.hash, "name": name, "age_s": round(age_s)}
        self.automations.append({**entry, "status": member.status, "list_id": self.id})

    def has_forgotten(self, address: str) -> bool:
        """Was this address permanently deleted?"""
        return hash_address(address) in self.forgotten

    def check_permissions(self, wanted: list[Json]) -> None:
        """Raise a Problem for a marketing permission that there is not; a member shows the ids of those there are."""
        known = self._list_permissions()
        if any(one["marketing_permission_id"] not in known for one in wanted):
            raise invalid_field("marketing_permissions", "There is no such permission.")

    def _list_permissions(self) -> dict[str, str]:
        texts = PERMISSIONS if self.marketing_permissions else ()
        return {f"{self.id}{number}": text for number, text in enumerate(texts)}

    def _show_permissions(self, member: Member) -> list[Json]:
        given = member.details.get("marketing_permissions", {})
        return [
            {"marketing_permission_id": key, "text": text, "enabled": given.get(key, False)}
            for key, text in self._list_permissions().items()
        ]

    def drop_unconfirmed(self, now: float) -> None:
        """Remove who has not confirmed for sixty days."""
        for member in [one for one in self if one.status == "pending" and now - one.status_at > PENDING_LASTS_S]:
            self.remove(member)

    def tag_id(self, name: str) -> int:
        """Return the number of a tag, which is made if there is none."""
        return self.tag_ids.setdefault(name, len(self.tag_ids) + 1001)

    def count_billed(self) -> int:
        """Return for how many contacts the plan is charged."""
        return sum(member.status in BILLED for member in self)

    def show(self, member: Member, base: str) -> Json:
        """Return a member as the API shows it."""
        shown = member.as_json(self.id, self.fields, self.tag_ids, base)
        return (
            {**shown, "marketing_permissions": self._show_permissions(member)} if self.marketing_permissions else shown
        )

    def as_json(self, now: float) -> Json:
        """Return the audience as the API shows it; its figures are up to five minutes old."""
        return {
            "id": self.id,
            "web_id": self.web_id,
            "name": self.name,
            "date_created": iso(self.created_at),
            "email_type_option": False,
            "double_optin": self.double_optin,
            "has_welcome": self.has_welcome,
            "marketing_permissions": self.marketing_permissions,
            "stats": self._read_stats(now),
        }

    def _read_stats(self, now: float) -> Json:
        if self._stats is None or now - self._stats[0] >= STATS_CACHED_S:
            self._stats = now, self._count()
        return dict(self._stats[1])

    def _count(self) -> Json:
        statuses = [member.status for member in self]
        return {
            "member_count": statuses.count("subscribed"),
            "total_contacts": sum(status in BILLED for status in statuses),
            "unsubscribe_count": statuses.count("unsubscribed"),
            "cleaned_count": statuses.count("cleaned"),
            "merge_field_count": len(self.fields),
        }


def people_of(audience: Audience, id_field: str) -> Iterator[Json]:
    """Yield the members as the comparison with the store reads people of any platform.

    An archived member is the history of the member with the same id, if there is one.
    """
    groups: dict[Any, list[Member]] = {}
    for member in audience:
        groups.setdefault(member.merge.get(id_field) or member.contact_id, []).append(member)
    for members in groups.values():
        present = [one for one in members if one.status != "archived"] or members[-1:]
        history = [event for one in members if one not in present for event in one.events]
        for member in present:
            yield _as_person(audience, member, id_field, history if member is present[-1] else [])


def _as_person(audience: Audience, member: Member, id_field: str, history: list[Any]) -> Json:
    values = {one.tag: _read_flag(one, member.merge.get(one.tag, "")) for one in audience.fields}
    named = {_plain(one.name): values[one.tag] for one in audience.fields}
    given = {name: value for name, value in {**named, **values}.items() if value != ""}
    events = [*history, *member.events]
    return {
        "cio_id": f"{audience.id}-{member.number}",
        "id": str(member.merge.get(id_field) or ""),
        "email": member.address,
        "attributes": {**given, **{_plain(name): True for name in member.tags}, "status": member.status},
        "events": [{"name": event.name, "at": iso(event.at), "data": event.properties} for event in events],
    }


def _read_flag(one: MergeField, value: Any) -> Any:
    """Return true or false for a choice of yes and no: the API has no booleans."""
    is_flag = sorted(one.options.get("choices", ())) == ["no", "yes"]
    return value == "yes" if is_flag and value in ("yes", "no") else value


def _plain(name: str) -> str:
    return "_".join(name.lower().split())
