"""Everything a running warehouse consists of: the floor, its keys, faults, log and the lock that guards them."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.warehouse.cartrover.rate_limit import Bucket
from sandbox.warehouse.faults import Faults
from sandbox.warehouse.floor import Floor
from sandbox.warehouse.generic.messages_in import Reply
from sandbox.warehouse.outbox import Outbox
from sandbox.warehouse.request_log import RequestLog
from sandbox.warehouse.switches import Switches
from sandbox.warehouse.threepl.signing_key import SigningKey
from sandbox.warehouse.threepl.tokens import Tokens


@dataclass(frozen=True)
class Keys:
    """The keys of each protocol; all of them are invented."""

    api_user: str = "sandbox-user"
    api_key: str = "sandbox-key"
    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"  # noqa: S105 - invented, like the others
    user_login: str = "svc-bridge"
    user_login_id: str = "1"
    tpl: str = "{5a6d0b0e-0000-4000-8000-000000000001}"
    webhook_secret: str = "whsec_ZW11bGF0b3Itc2VjcmV0LTAxMjM0NTY3ODlhYmNkZWY="  # noqa: S105 - the same


Post = Callable[[str, Mapping[str, str], bytes], int | None]


class World:
    """The state behind every blueprint."""

    def __init__(self, keys: Keys, clock: Callable[[], float], post: Post, switches: Switches | None = None) -> None:
        """Open an empty warehouse. The clock gives seconds since the epoch; `post` returns a status."""
        self.keys, self.post = keys, post
        self.lock = threading.RLock()
        self.floor = Floor(clock, switches or Switches())
        self.faults = Faults()
        self.log = RequestLog()
        self.outbox = Outbox()
        self.signing_key = SigningKey()
        self._begin_protocols()

    @property
    def switches(self) -> Switches:
        """Return the switches in force."""
        return self.floor.switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        self.floor.switches = switches

    @property
    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return self.floor.now

    def reset(self) -> None:
        """Start over: no orders, no faults, no log, no listeners, default switches."""
        self.switches = Switches()
        self.floor.forget()
        self.faults.clear()
        self.log.clear()
        self.outbox = Outbox()
        self._begin_protocols()

    def _begin_protocols(self) -> None:
        self.bucket = Bucket()
        self.ship_codes: dict[str, list[Any]] = {}  # by order source: CartRover's mappings
        self.tokens = Tokens()
        self.replies: dict[str, Reply] = {}  # by `webhook-id`

    def tick(self) -> None:
        """Do what is due by now."""
        with self.lock:
            self.floor.advance()
