"""How many boxes, to which warehouse, for how long, and the live hooks beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sandbox.warehouse.world import Keys

Database = Literal["sqlite", "postgresql"]
_KEYS = Keys()


@dataclass(frozen=True, slots=True)
class Way:
    """One warehouse behind one database. `path`: of its interface in the sandbox, whose answers are slow."""

    title: str
    adapter: str
    path: str
    keys: Mapping[str, str] = field(default_factory=dict)
    database: Database = "sqlite"

    def build_keys(self, url: str) -> dict[str, str]:
        """The fields that the warehouse is connected with."""
        return {key: value.format(url=url) for key, value in (_CONFIGS[self.adapter] | dict(self.keys)).items()}


_CONFIGS: Mapping[str, dict[str, str]] = {
    "cartrover": {"api_user": _KEYS.api_user, "api_key": _KEYS.api_key, "base_url": "{url}/cartrover/v1"},
    "extensiv_3pl": {
        "client_id": _KEYS.client_id,
        "client_secret": _KEYS.client_secret,
        "user_login": _KEYS.user_login,
        "customer_id": "7",
        "facility": "1",
        "base_url": "{url}/3pl",
    },
    "signed_webhook": {"url": "{url}/generic", "secret": _KEYS.webhook_secret},
}
WAYS: Mapping[str, Way] = {
    "A": Way("Integration Manager", "cartrover", "/cartrover"),
    "A-postgresql": Way("Integration Manager", "cartrover", "/cartrover", database="postgresql"),
    "B": Way("3PL Warehouse Manager, 2 requests/s", "extensiv_3pl", "/3pl"),
    "B-6": Way("3PL Warehouse Manager, 6 requests/s", "extensiv_3pl", "/3pl", {"calls_per_second": "6"}),
    "C": Way("signed web hook", "signed_webhook", "/generic"),
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """`seconds`: for which boxes go out alone, at most; what is left then is not waited for.

    `latency_ms`: of the warehouse's answers. `turns`: of live hooks without boxes and beside them, each so long.
    `hooked`: the ways that have live hooks.
    """

    boxes: int
    seconds: float
    turns: int
    turn_s: int
    ways: tuple[str, ...] = tuple(WAYS)
    hooked: tuple[str, ...] = ("A", "A-postgresql")
    hooks_per_second: int = 20
    latency_ms: int = 100
    cratejoy_rate: float = 2.0  # requests a second that the store answers; the next gets a 429


FULL = Scenario(boxes=20_000, seconds=3_600, turns=5, turn_s=60)
QUICK = Scenario(boxes=500, seconds=30, turns=1, turn_s=10)
