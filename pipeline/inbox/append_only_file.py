"""Redis's file of all its writes, which still has the bytes of hooks that have left the inbox."""

from __future__ import annotations

from redis import Redis, RedisError
from redis.exceptions import ResponseError

_UNDERWAY = "in progress"  # in what a server answers that is rewriting it already


def rewrite_append_only_file(redis: Redis) -> bool:
    """Let the server rewrite the file in the background, so that it has only what Redis still has.

    False if the server does not take the command, as some managed ones do not: theirs is rewritten as it grows.
    """
    try:
        redis.bgrewriteaof()
    except ResponseError as error:
        return _UNDERWAY in str(error)
    except RedisError:
        return False
    return True
