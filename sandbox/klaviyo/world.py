"""An account, who may call it, and how it answers."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.klaviyo.account import Account
from sandbox.klaviyo.calls import SCOPES
from sandbox.klaviyo.faults import Faults
from sandbox.klaviyo.windows import DOCUMENTED, TIERS, Windows
from sandbox.switch_rules import Rule, check_switches, is_flag, one_of


def _is_scope_list(value: object) -> bool:
    return isinstance(value, list) and all(one in SCOPES for one in value)


RULES: Mapping[str, Rule] = {
    "api_key": lambda value: isinstance(value, str) and bool(value),
    "tier": one_of(None, DOCUMENTED, *TIERS),
    "missing_scopes": _is_scope_list,
    "retired_revision": one_of("410", "served"),
    "is_holding": is_flag,
}


class World:
    """An account, and how it answers. `tier` names its limits; None: there are none."""

    def __init__(self, api_key: str, *, tier: str | None = None, now: Callable[[], float] = time.time) -> None:
        """Know one private key."""
        self.api_key = api_key
        self.tier = tier
        self.missing_scopes: list[str] = []
        self.retired_revision = "410"
        self.now = now
        self.lock = threading.Lock()
        self.released = threading.Event()
        self.next_answers: deque[dict[str, Any]] = deque()
        self.faults = Faults()
        self.is_holding = False
        self.reset()

    def reset(self) -> None:
        """Forget everyone."""
        self.account = Account(self.now)
        self.windows = Windows(self.now)
        self.statuses: Counter[str] = Counter()

    def release(self) -> None:
        """Let every call go on that waits because of a fault."""
        self.released.set()
        self.released = threading.Event()

    def update(self, wanted: Mapping[str, Any]) -> None:
        """Set switches, or raise UnknownSwitch and set nothing."""
        check_switches(RULES, wanted)
        for name, value in wanted.items():
            setattr(self, name, value)

    def switches(self) -> dict[str, Any]:
        """Return every switch."""
        return {name: getattr(self, name) for name in RULES}
