"""An account of Mailchimp: its keys and audiences, its clock, and what would have been sent."""

import random
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from sandbox.mailchimp.audience import Audience
from sandbox.mailchimp.batch import Batch
from sandbox.mailchimp.call import Json
from sandbox.mailchimp.faults import Faults
from sandbox.mailchimp.member import Member
from sandbox.mailchimp.problems import not_found
from sandbox.mailchimp.switches import Switches

USER = "user-1"
_DATA_CENTRE = re.compile(r"-([a-z]+\d+)$")


class World:
    """All that is kept. `now` gives seconds since the epoch; the seed decides ids and the order inside a batch."""

    def __init__(
        self, api_key: str, *, now: Callable[[], float] = time.time, double_optin: bool = False, seed: int = 0
    ) -> None:
        """Begin with a key, whose end names the data centre, and an empty audience."""
        self._clock = now
        self._shift_s = 0.0
        self._double_optin = double_optin
        self.luck = random.Random(seed)
        self.lock = threading.RLock()
        self.data_centre = data_centre_of(api_key) or "us1"
        self.url = ""  # known by the first call
        self.secret = self.draw_id().encode()
        self.account_id = self.draw_id()[:24]
        self.keys = {api_key: USER}
        self.switches = Switches()
        self.faults = Faults()
        self.role = "owner"
        self.reset()

    def reset(self) -> None:
        """Forget everything but the keys, the switches and the faults, and begin with an empty audience."""
        self.audiences: dict[str, Audience] = {}
        self.batches: dict[str, Batch] = {}
        self.calls: list[list[tuple[str, str, str | None]]] = []  # that wrote: address, profile or event, its name
        self.next_answers: deque[Json] = deque()
        self.log: list[Json] = []
        self.statuses: Counter[str] = Counter()
        self.audience = self.add_audience("Sandbox", double_optin=self._double_optin)

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

    def find_audience(self, list_id: str) -> Audience:
        """Return the audience, or raise that there is none."""
        if list_id not in self.audiences:
            raise not_found()
        return self.audiences[list_id]

    def took(self, member: Member, kind: str, name: str | None = None) -> None:
        """Note that a call, or an operation of a batch, wrote this about a member."""
        self.calls.append([(member.address, kind, name)])

    def warn(self, **what: Any) -> None:
        """Note in the log what was taken although it looks like a mistake."""
        self.log.append({"warning": True, **what})


def data_centre_of(key: str) -> str:
    """Return what a key ends with after its last hyphen, or nothing."""
    found = _DATA_CENTRE.search(key)
    return found[1] if found else ""
