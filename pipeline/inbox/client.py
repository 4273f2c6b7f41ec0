"""The Redis client of a process that must answer at once: it fails after the timeout and never retries."""

from __future__ import annotations

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pipeline.infra.redis_client import open_redis


class SingleWritePacker:
    """Packs a command into one piece, so that it is sent in one write.

    redis-py splits it every 6 kB, and each write lets another thread run; with hooks in a command that costs more than
    the copy.
    """

    def pack(self, *arguments: str | bytes | float) -> list[bytes]:
        """Return the command in Redis's protocol, in one piece."""
        first, *rest = arguments
        parts = [*str(first).split(), *rest]  # redis-py passes "CLIENT SETINFO" as one argument
        pieces = [b"*%d\r\n" % len(parts)]
        for part in parts:
            value = part if isinstance(part, bytes) else str(part).encode()
            pieces.append(b"$%d\r\n%b\r\n" % (len(value), value))
        return [b"".join(pieces)]


def connect(url: str, timeout: float) -> Redis:
    """Return a client that connects when it is first used. RESP2 saves two round trips on every new connection."""
    return open_redis(
        url,
        protocol=2,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        decode_responses=False,
        command_packer=SingleWritePacker(),
    )
