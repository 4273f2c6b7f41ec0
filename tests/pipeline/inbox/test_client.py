from __future__ import annotations

import socket

import pytest
from redis.connection import Connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from pipeline.inbox.client import SingleWritePacker, connect


class Listener:
    """A server that accepts and counts, and never answers."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.socket.getsockname()[1]}/0"

    def connections(self) -> int:
        self.socket.settimeout(0)
        count = 0
        while True:
            try:
                self.socket.accept()[0].close()
            except BlockingIOError:
                return count
            count += 1


def test_a_redis_that_does_not_answer_fails_after_one_try():
    listener = Listener()
    client = connect(listener.url, 0.05)

    with pytest.raises((RedisTimeoutError, RedisConnectionError)):
        client.ping()
    assert listener.connections() == 1
    listener.socket.close()


def test_a_redis_that_does_not_listen_fails():
    listener = Listener()
    listener.socket.close()

    with pytest.raises(RedisConnectionError):
        connect(listener.url, 0.05).ping()


def test_a_command_is_packed_as_redis_py_packs_it_but_in_one_piece():
    command = ("CLIENT SETINFO", "ünï", b"\x00" * 9_000, 7, 0.5)
    theirs = Connection().pack_command(*command)

    assert len(theirs) > 1
    assert SingleWritePacker().pack(*command) == [b"".join(theirs)]


def test_it_talks_to_a_real_redis(valkey_url):
    client = connect(valkey_url, 5)

    assert client.ping()
    client.close()
