"""An account of Mailchimp: its keys and audiences, its clock, and what would have been sent."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from sandbox.mailchimp.audience import Audience
from sandbox.mailchimp.batch import Batch
from sandbox.mailchimp.call import Json
from sandbox.mailchimp.dates import iso
from sandbox.mailchimp.faults import Faults
from sandbox.mailchimp.member import Member
from sandbox.mailchimp.problems import not_found
from sandbox.mailchimp.switches import Switches

USER = "user-1"


class World:
    """All that is kept. `clock` gives seconds since the epoch; the seed decides ids and the order inside a batch."""

    def __init__(self, clock: Callable[[], float], data_centre: str = "us6", api_key: str = "", seed: int = 0) -> None:
        """Begin with a key and an empty audience."""
        self._clock = clock
        self._shift_s = 0.0
        self.luck = random.Random(seed)
        self.lock = threading.RLock()
        self.data_centre = data_centre
        self.url = ""  # once it is served
        self.secret = self.draw_id().encode()
        self.account_id = self.draw_id()[:24]
        self.api_key = api_key or f"{self.draw_id()}-{data_centre}"
        self.keys = {self.api_key: USER}
        self.switches = Switches()
        self.faults = Faults()
        self.role = "owner"
        self.reset()

    def reset(self) -> None:
        """Forget everything but the keys and the switches, and begin with an empty audience."""
        self.audiences: dict[str, Audience] = {}
        self.batches: dict[str, Batch] = {}
        self.automations: list[Json] = []
        self.log: list[Json] = []
        self.statuses: Counter[str] = Counter()
        self.list_id = self.add_audience("Sandbox").id

    @property
    def base_url(self) -> str:
        """Return the address of the API."""
        return f"{self.url}/3.0"

    def now(self) -> float:
        """Return the emulated time in seconds since the epoch."""
        return self._clock() + self._shift_s

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._shift_s += seconds
        for audience in self.audiences.values():
            audience.drop_unconfirmed(self.now())

    def draw_id(self) -> str:
        """Return a new id of 32 hexadecimal digits."""
        return f"{self.luck.getrandbits(128):032x}"

    def add_audience(self, name: str, list_id: str = "", *, double_optin: bool = False) -> Audience:
        """Add an audience."""
        list_id = list_id or self.draw_id()[:10]
        audience = Audience(list_id, 100 + len(self.audiences), name, self.now(), self.draw_id, double_optin)
        self.audiences[list_id] = audience
        return audience

    def audience(self, list_id: str) -> Audience:
        """Return the audience, or raise that there is none."""
        if list_id not in self.audiences:
            raise not_found()
        return self.audiences[list_id]

    def record_automation(self, audience: Audience, member: Member, kind: str, about: str = "") -> None:
        """Note that this would have started automations or sent mail."""
        entry: Json = {"kind": kind, "about": about, "list_id": audience.id, "member": member.hash}
        self.automations.append({**entry, "status": member.status, "at": iso(self.now())})

    def warn(self, **what: Any) -> None:
        """Note in the log what was taken although it looks like a mistake."""
        self.log.append({"warning": True, **what})
