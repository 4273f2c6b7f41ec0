"""Everything a running warehouse consists of: the floor, its keys, faults, log and the lock that guards them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.warehouse.cartrover.rate_limit import Bucket
from sandbox.warehouse.faults import Faults
from sandbox.warehouse.floor import Floor
from sandbox.warehouse.request_log import RequestLog
from sandbox.warehouse.switches import Switches
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


class World:
    """The state behind every blueprint."""

    def __init__(self, keys: Keys, clock: Callable[[], float], switches: Switches | None = None) -> None:
        """Open an empty warehouse. The clock gives seconds since the epoch."""
        self.keys = keys
        self.lock = threading.RLock()
        self.floor = Floor(clock, switches or Switches())
        self.faults = Faults()
        self.log = RequestLog()
        self.bucket = Bucket()
        self.tokens = Tokens()

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
        """Start over: no orders, no faults, no log, default switches."""
        self.switches = Switches()
        self.floor.forget()
        self.faults.clear()
        self.log.clear()
        self.bucket = Bucket()
        self.tokens = Tokens()

    def tick(self) -> None:
        """Do what is due by now."""
        with self.lock:
            self.floor.advance()
