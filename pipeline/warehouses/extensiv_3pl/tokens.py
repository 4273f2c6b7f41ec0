"""The access token of one account, shared by all processes and renewed by one of them at a time.

It lives 30 to 60 minutes and is to be renewed at least every 30 (help.extensiv.com, REST API articles).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.core.fulfilment import RateLimited, Trouble
from pipeline.warehouses.base import SharedValues

RENEWAL_WAIT_S = 1.0  # until another process has most likely renewed it
_MAX_AGE_S = 1_800.0
_MARGIN_S = 300.0
_US_PER_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Grant:
    """A new token, and how long it lives."""

    token: str = field(repr=False)
    expires_in_s: float


@dataclass(frozen=True, slots=True)
class _Kept:
    token: str = field(repr=False)
    renew_at: int  # µs
    expires_at: int  # µs


class Tokens:
    """`name`: of the account, with its credentials; `ask` gets a new token from the warehouse."""

    def __init__(
        self, values: SharedValues, name: str, ask: Callable[[], Grant | Trouble], now: Callable[[], int]
    ) -> None:
        self._values = values
        self._name = name
        self._ask = ask
        self._now = now

    def get(self) -> str | Trouble:
        """Return a token that is good for a while, or why there is none."""
        kept = self._read()
        if kept is not None and self._now() < kept.renew_at:
            return kept.token
        return self._renew(kept, refused=None)

    def replace(self, refused: str) -> str | Trouble:
        """Return another token than the one that the warehouse has just refused."""
        kept = self._read()
        if kept is not None and kept.token != refused:
            return kept.token
        return self._renew(kept, refused)

    def _renew(self, kept: _Kept | None, refused: str | None) -> str | Trouble:
        still_good = kept.token if kept and not refused and self._now() < kept.expires_at else None
        with self._values.lock(self._name) as is_ours:
            if not is_ours:
                return still_good or RateLimited(RENEWAL_WAIT_S)
            current = self._read()
            if current is not None and current != kept:
                return current.token  # renewed between our look and our lock
            granted = self._ask()
            if not isinstance(granted, Grant):
                return still_good or granted
            self._keep(granted)
            return granted.token

    def _read(self) -> _Kept | None:
        value = self._values.get(self._name)
        return _Kept(value["token"], int(value["renew_at"]), int(value["expires_at"])) if value else None

    def _keep(self, granted: Grant) -> None:
        life_s = granted.expires_in_s
        use_s = min(life_s - _MARGIN_S, _MAX_AGE_S) if life_s > 2 * _MARGIN_S else life_s / 2
        now = self._now()
        renew_at, expires_at = (now + round(seconds * _US_PER_SECOND) for seconds in (use_s, life_s))
        value = {"token": granted.token, "renew_at": str(renew_at), "expires_at": str(expires_at)}
        self._values.put(self._name, value, life_s)
