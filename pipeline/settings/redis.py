"""Redis, Celery's broker, and what an acknowledgement waits for."""

from __future__ import annotations

from functools import partial

from environs import ValidationError, validate

from pipeline.infra.redis_client import SENTINEL_SCHEMES, is_sentinel_url, parse_sentinel_url
from pipeline.settings.variable import build_url_check, declare

_storage = partial(declare, "Storage")


def _check_redis_url(value: str, *schemes: str) -> None:
    build_url_check(*schemes, *SENTINEL_SCHEMES)(value)
    if is_sentinel_url(value):
        try:
            parse_sentinel_url(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


def check_redis_url(value: str) -> None:
    """One server, or Sentinels with the name of a primary."""
    _check_redis_url(value, "redis", "rediss", "unix")


def check_broker_url(value: str) -> None:
    """The same, or RabbitMQ."""
    _check_redis_url(value, "redis", "rediss", "amqp", "amqps")


URL: str = _storage(
    "REDIS_URL",
    "The Redis or Valkey of the inbox: `redis://`, `rediss://`, `unix://`, or through Sentinels `redis+sentinel://`.",
    unset="embedded",
    detail="It must have its append-only file on and evict nothing. The embedded Valkey listens on loopback and is "
    "started by `cratewire run`. Sentinels: `redis+sentinel://user:password@host:26379,host:26379/name/0`, with "
    "TLS `rediss+sentinel://` ([docs/fleet.md](docs/fleet.md)).",
    example="redis://127.0.0.1:6379/0",
    check=check_redis_url,
    secret=True,
)
BROKER_URL: str = _storage(
    "CRATEWIRE_BROKER_URL",
    "Celery's broker: Redis, also through Sentinels, or RabbitMQ as `amqp://` or `amqps://`.",
    unset="`REDIS_URL`, or embedded",
    detail="Nothing in it need survive, so a broker without a disk is best: hooks are handled sooner than through "
    "one that syncs.",
    example="amqp://guest:guest@127.0.0.1:5672//",
    check=check_broker_url,
    secret=True,
)
REPLICAS: int = _storage(
    "CRATEWIRE_REPLICAS",
    "How many replicas of Redis must have a hook on disk before it is acknowledged; else it goes to the spool.",
    default=0,
    unit="replicas",
    detail="Web waits for them as long as for Redis (CRATEWIRE_REDIS_TIMEOUT). Choose fewer than there are.",
    check=validate.Range(0, 16),
)
