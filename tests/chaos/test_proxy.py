"""The proxy does to a connection what it says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from bench.chaos.proxy import Proxy

WAIT = 60


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]


def serve(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=repeat, args=(connection,), daemon=True).start()


def repeat(connection: socket.socket) -> None:
    with connection:
        try:
            while data := connection.recv(100):
                connection.sendall(data)
        except OSError:
            return


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    made = Proxy(echo)
    yield made
    made.stop()


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=WAIT)


def says(connection: socket.socket, text: bytes) -> bytes:
    connection.sendall(text)
    return connection.recv(100)


def test_what_is_said_passes(proxy: Proxy):
    with connect(proxy) as connection:
        assert says(connection, b"hello") == b"hello"


def test_a_black_hole_says_nothing_and_cuts_when_it_closes(proxy: Proxy):
    with connect(proxy) as connection:
        assert says(connection, b"hello") == b"hello"
        proxy.be("blackhole")
        connection.sendall(b"hello?")
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(100)
        connection.settimeout(WAIT)

        proxy.be("pass")

        with pytest.raises(ConnectionResetError):
            connection.recv(100)


def test_a_reset_cuts_what_is_open_and_what_is_opened(proxy: Proxy):
    with connect(proxy) as connection:
        assert says(connection, b"hello") == b"hello"

        proxy.be("reset")

        with pytest.raises(ConnectionResetError):
            connection.recv(100)
    with pytest.raises(ConnectionError):
        cut_at_once(proxy)


def cut_at_once(proxy: Proxy) -> None:
    """What is sent first may still find its way into the buffers of a connection that is already lost."""
    with connect(proxy) as another:
        for _ in range(100):
            says(another, b"hello")


def test_slowness_delays_and_loses_nothing(proxy: Proxy):
    proxy.be("slow", delay=0.05)

    with connect(proxy) as connection:
        assert says(connection, b"hello") == b"hello"
