"""Short-lived secrets of warehouses in Redis, encrypted, with a lease for each change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from math import ceil

from redis import Redis

from pipeline.core.errors import Misconfigured
from pipeline.infra import redis_keys
from pipeline.infra.crypto.encryption import RowIdentity, decrypt, encrypt
from pipeline.infra.redis_lease import Lease

_LEASE_MS = 10_000  # the holder renews it; how long the others wait after it was killed


class RedisValues:
    """The values of all processes. Raises redis.RedisError if Redis is unavailable."""

    def __init__(self, redis: Redis, secret_keys: Sequence[str], make_nonce: Callable[[], str]) -> None:
        self._redis = redis
        self._secret_keys = secret_keys
        self._make_nonce = make_nonce

    def get(self, name: str) -> dict[str, str] | None:
        """Return the value; one that another secret key has encrypted counts as none."""
        sealed = self._redis.get(redis_keys.warehouse_value(name))
        try:
            return decrypt(self._secret_keys, sealed, _identify(name)) if isinstance(sealed, bytes) else None
        except Misconfigured:
            return None

    def put(self, name: str, value: Mapping[str, str], ttl_s: float) -> None:
        sealed = encrypt(self._secret_keys, dict(value), _identify(name))
        self._redis.set(redis_keys.warehouse_value(name), sealed, px=max(1, ceil(ttl_s * 1000)))

    def lock(self, name: str) -> AbstractContextManager[bool]:
        return Lease(self._redis, redis_keys.warehouse_value_lease(name), self._make_nonce(), _LEASE_MS).hold()


def _identify(name: str) -> RowIdentity:
    return RowIdentity("warehouse_value", name)
