"""What an account holds, and how long what it accepted waits."""

import time
from collections import deque
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from sandbox.klaviyo.events import Events
from sandbox.klaviyo.import_jobs import ImportJobs
from sandbox.klaviyo.profiles import Profiles

ACCOUNT_ID = "SaNdBx"
_LINKS = {"self": f"https://a.klaviyo.com/api/accounts/{ACCOUNT_ID}/"}
_ADDRESS = {"address1": "1 Example Street", "address2": "", "city": "Austin", "region": "TX", "country": "US"}
_ATTRIBUTES = {
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


class Account:
    """An account. Work that it accepted waits for `process`."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        """Begin empty, with this clock in seconds."""
        self._now = now
        self.profiles = Profiles()
        self.events = Events(self.profiles)
        self.imports = ImportJobs(self.profiles)
        self.calls: list[dict[str, Any]] = []  # of those that changed something: {"path", "items": [(who, kind, name)]}
        self._waiting: deque[Callable[[], None]] = deque()

    @property
    def waiting(self) -> int:
        """How much accepted work waits."""
        return len(self._waiting)

    def accept(self, work: Callable[[], None]) -> None:
        """Keep this work for `process`: 202 says that it is accepted, not that it is done."""
        self._waiting.append(work)

    def process(self) -> None:
        """Do what waits, in the order of arrival."""
        while self._waiting:
            self._waiting.popleft()()

    def note(self, path: str, items: list[tuple[Any, str, Any]]) -> None:
        """Remember a call that changes something."""
        self.calls.append({"path": path, "items": items})

    def moment(self) -> datetime:
        """Return the time by this account's clock."""
        return datetime.fromtimestamp(self._now(), UTC)

    def copied(self) -> "Account":
        """Return a copy: what is written to it is lost."""
        waiting, self._waiting = self._waiting, deque()
        copy = deepcopy(self)
        self._waiting = waiting
        return copy

    @staticmethod
    def as_json() -> dict[str, Any]:
        """Return the account as JSON:API."""
        return {"type": "account", "id": ACCOUNT_ID, "attributes": _ATTRIBUTES, "links": _LINKS}
