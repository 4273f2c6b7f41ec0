"""The Redis client of a process that must answer at once: it gives up after the timeout and never retries."""

from __future__ import annotations

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry


class SingleWritePacker:
    """Packs a command into one piece, so that it leaves in one write. redis-py cuts at every 6 kB, and each write
    lets another thread in; with hooks in a command that costs more than the copy.
    """

    def pack(self, *arguments: str | bytes | float) -> list[bytes]:
        """The command in Redis's protocol."""
        first, *rest = arguments
        parts = [*str(first).split(), *rest]  # redis-py gives "CLIENT SETINFO" as one
        pieces = [b"*%d\r\n" % len(parts)]
        for part in parts:
            value = part if isinstance(part, bytes) else str(part).encode()
            pieces.append(b"$%d\r\n%b\r\n" % (len(value), value))
        return [b"".join(pieces)]


def connect(url: str, timeout: float) -> Redis:
    """A client; nothing is opened yet. RESP2 saves two round trips on every new connection."""
    return Redis.from_url(
        url,
        protocol=2,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        decode_responses=False,
        command_packer=SingleWritePacker(),
    )
