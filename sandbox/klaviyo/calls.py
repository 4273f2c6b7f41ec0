"""The calls of Klaviyo's API that are played, each as its reference describes it."""

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from flask import request

from sandbox.klaviyo.errors import Refusal, error, invalid
from sandbox.klaviyo.events import Events, event_key
from sandbox.klaviyo.profiles import MAX_PROFILE_BYTES, Profiles

ACCOUNT_ID = "SaNdBx"
MAX_BULK_EVENTS, MAX_BULK_BYTES = 1_000, 5_000_000
MAX_SUPPRESSED = 100
_LINKS = {"self": f"https://a.klaviyo.com/api/accounts/{ACCOUNT_ID}/"}
_ADDRESS = {"address1": "1 Example Street", "address2": "", "city": "Austin", "region": "TX", "country": "US"}
_ACCOUNT = {
    "test_account": False,
    "contact_information": {
        "default_sender_name": "Sandbox",
        "default_sender_email": "sandbox@example.com",
        "website_url": "https://shop.example.com",
        "organization_name": "Sandbox",
        "street_address": {**_ADDRESS, "zip": "78701"},
    },
    "industry": "Ecommerce",
    "timezone": "US/Central",
    "preferred_currency": "USD",
    "public_api_key": ACCOUNT_ID,
    "locale": "en-US",
}
_FILTER = re.compile(r'equals\((id|external_id|email|phone_number),"((?:[^"\\]|\\.)*)"\)')


class Account:
    """What an account holds."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        """Begin empty, with this clock in seconds."""
        self._now = now
        self.profiles = Profiles()
        self.events = Events(self.profiles)
        self.calls: list[dict[str, Any]] = []  # of those that changed something: {"path", "items": [(who, kind, name)]}

    def moment(self) -> datetime:
        """The time by this account's clock."""
        return datetime.fromtimestamp(self._now(), UTC)


class Call:
    """One call of an account."""

    def __init__(self, account: Account, method: str, path: str) -> None:
        """Answer this request, whose body is Flask's."""
        self._account = account
        self._method = method
        self._path = path
        self._routes: dict[tuple[str, str], Callable[[], tuple[int, Any]]] = {
            ("GET", "accounts"): self._accounts,
            ("GET", "profiles"): self._find_profiles,
            ("POST", "profiles"): self._create_profile,
            ("POST", "profile-import"): self._import_profile,
            ("POST", "profile-merge"): self._merge,
            ("POST", "events"): self._create_event,
            ("POST", "event-bulk-create-jobs"): self._create_events,
            ("POST", "profile-suppression-bulk-create-jobs"): self._suppress,
            ("POST", "profile-subscription-bulk-create-jobs"): self._subscribe,
            ("POST", "data-privacy-deletion-jobs"): self._delete,
        }

    def answer(self) -> tuple[int, Any]:
        """Return status and JSON. Raise Refusal for an error."""
        route = self._routes.get((self._method, self._path))
        if route is None:
            raise Refusal(404, error(404, "not_found", "There is no such address."))
        return route()

    def _accounts(self) -> tuple[int, Any]:
        return 200, {"data": [{"type": "account", "id": ACCOUNT_ID, "attributes": _ACCOUNT, "links": _LINKS}]}

    def _find_profiles(self) -> tuple[int, Any]:
        wanted = _FILTER.fullmatch(request.args.get("filter", ""))
        if wanted is None:
            raise Refusal(400, error(400, "invalid", "This filter is not understood here.", "filter"))
        value = re.sub(r"\\(.)", r"\1", wanted[2])
        return 200, {"data": [one.as_json() for one in self._account.profiles.find({wanted[1]: value})]}

    def _create_profile(self) -> tuple[int, Any]:
        attributes = self._read("profile")
        found = self._account.profiles.find(attributes)
        if found:
            text = "A profile already exists with one of these identifiers."
            raise Refusal(
                409, error(409, "duplicate_profile", text, "/data/attributes", duplicate_profile_id=found[0].id)
            )
        return 201, {"data": self._upsert(attributes)[0].as_json()}

    def _import_profile(self) -> tuple[int, Any]:
        profile, is_new = self._upsert(self._read("profile"))
        return (201 if is_new else 200), {"data": profile.as_json()}

    def _upsert(self, attributes: dict[str, Any]) -> Any:
        if len(request.get_data()) > MAX_PROFILE_BYTES:
            raise Refusal(413, error(413, "too_large", "The profile is over 100 KB."))
        profile, is_new = self._account.profiles.upsert(attributes)
        self._note([(profile.external_id or profile.email, "profile", None)])
        return profile, is_new

    def _merge(self) -> tuple[int, Any]:
        data = self._read_data("profile-merge")
        sources = (data.get("relationships") or {}).get("profiles", {}).get("data")
        if not isinstance(sources, list) or len(sources) != 1:
            raise Refusal(400, invalid("Exactly one source profile is required.", "/data/relationships/profiles"))
        merged = self._account.profiles.merge(sources[0]["id"], str(data.get("id")))
        return 201, {"data": {name: merged.as_json()[name] for name in ("type", "id", "links")}}

    def _create_event(self) -> tuple[int, Any]:
        attributes, now = self._read("event"), self._account.moment()
        self._account.events.check(attributes, now, "/data/attributes")
        self._take([attributes], now)
        return 202, None

    def _create_events(self) -> tuple[int, Any]:
        """All or nothing: one bad event, or one that is there twice, and none is taken."""
        if len(request.get_data()) > MAX_BULK_BYTES:
            raise Refusal(413, error(413, "too_large", "The call is over 5 MB."))
        parts = (self._read("event-bulk-create-job").get("events-bulk-create") or {}).get("data")
        if not isinstance(parts, list) or not parts:
            raise Refusal(400, invalid("Events are required.", "/data/attributes/events-bulk-create"))
        now, faults, events, keys = self._account.moment(), [], [], set()
        for pointer, attributes in _list_bulk_events(parts):
            try:
                self._account.events.check(attributes, now, f"{pointer}/attributes")
            except Refusal as refusal:
                faults += refusal.errors
                continue
            if event_key(attributes) in keys:
                faults.append(invalid("A unique_id is repeated.", pointer))
            keys.add(event_key(attributes))
            events.append(attributes)
        if len(events) > MAX_BULK_EVENTS:
            faults.append(invalid("More than 1000 events.", "/data/attributes/events-bulk-create"))
        if faults:
            raise Refusal(400, *faults)
        self._take(events, now)
        return 202, None

    def _take(self, events: list[dict[str, Any]], now: datetime) -> None:
        for attributes in events:
            self._account.events.take(attributes, now)
        who = [attributes["profile"]["data"]["attributes"] for attributes in events]
        names = [attributes["metric"]["data"]["attributes"]["name"] for attributes in events]
        ids = [one.get("external_id") or one.get("email") for one in who]
        self._note([(person, "event", name) for person, name in zip(ids, names, strict=True)])

    def _suppress(self) -> tuple[int, Any]:
        """Stop mail to these addresses. One that is unknown becomes a profile."""
        attributes = self._read("profile-suppression-bulk-create-job")
        people = (attributes.get("profiles") or {}).get("data") or []
        if not 0 < len(people) <= MAX_SUPPRESSED:
            raise Refusal(400, invalid("One to 100 profiles are required.", "/data/attributes/profiles"))
        for one in people:
            self._account.profiles.upsert({"email": one["attributes"]["email"]})[0].is_suppressed = True
        return 202, {"data": {"type": "profile-suppression-bulk-create-job", "id": "1"}}

    def _subscribe(self) -> tuple[int, Any]:
        attributes = self._read("profile-subscription-bulk-create-job")
        for one in (attributes.get("profiles") or {}).get("data") or []:
            profile, _ = self._account.profiles.upsert({"email": one["attributes"]["email"]})
            profile.is_subscribed, profile.is_suppressed = True, False
            if not attributes.get("historical_import"):
                started = {"kind": "subscription", "person": profile.id, "name": "Subscribed to Email", "age_s": 0}
                self._account.events.automations.append(started)
        return 202, None

    def _delete(self) -> tuple[int, Any]:
        profile = (self._read("data-privacy-deletion-job").get("profile") or {}).get("data") or {}
        named = {**(profile.get("attributes") or {}), **({"id": profile["id"]} if profile.get("id") else {})}
        if len(named) != 1 or not set(named) <= {"id", "email", "phone_number"}:
            raise Refusal(
                400, invalid("Exactly one of id, email and phone_number is required.", "/data/attributes/profile")
            )
        for one in self._account.profiles.find(named):
            del self._account.profiles.all[one.id]
        return 202, None

    def _note(self, items: list[tuple[Any, str, Any]]) -> None:
        self._account.calls.append({"path": self._path, "items": items})

    def _read_data(self, kind: str) -> dict[str, Any]:
        data = (request.get_json(force=True, silent=True) or {}).get("data")
        if not isinstance(data, dict) or data.get("type") != kind:
            raise Refusal(400, invalid(f"The type must be {kind}.", "/data/type"))
        return data

    def _read(self, kind: str) -> dict[str, Any]:
        attributes = self._read_data(kind).get("attributes")
        if not isinstance(attributes, dict):
            raise Refusal(400, invalid("Attributes are required.", "/data/attributes"))
        return attributes


def _list_bulk_events(parts: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each event of a bulk call with its profile, and its place."""
    for number, part in enumerate(parts):
        inner = part.get("attributes") or {}
        for place, one in enumerate((inner.get("events") or {}).get("data") or []):
            pointer = f"/data/attributes/events-bulk-create/data/{number}/attributes/events/data/{place}"
            yield pointer, {**(one.get("attributes") or {}), "profile": inner.get("profile")}
