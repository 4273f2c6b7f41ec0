"""Requests that no store should send, and what each must be answered with."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass

ANSWER_TIMEOUT_S = 60
TOO_LARGE = 10_000_000
_END = "Host: chaos\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class OddRequest:
    """A request and its acceptable statuses."""

    what: str
    request: bytes
    statuses: tuple[int, ...]

    def complaint(self, status: int | None) -> str | None:
        """Describe why the response is wrong, or return None."""
        return None if status in self.statuses else f"{self.what} was answered with {status or 'nothing'}"


def odd_requests(path: str) -> list[OddRequest]:
    """All of them; `path` is that of a hook URL."""
    return [
        OddRequest("a GET", _request(f"GET {path}?id=1&email=a%40example.org"), (200,)),
        OddRequest("a long GET", _request(f"GET {path}?{'a' * 6_000}"), (200,)),
        OddRequest("a GET of nonsense", _request(f"GET {path}?%00%ff&&==&"), (200,)),
        OddRequest("a chunked body", _chunked(path, b"2\r\n{}\r\n0\r\n\r\n"), (200,)),
        # The server below us ends it like a whole one; then it is among the dead hooks with its bytes.
        OddRequest("chunks that are none", _chunked(path, b"zz\r\n{}\r\n0\r\n\r\n"), (200, 400)),
        OddRequest("a negative length", _long(path, "-5", b"{}"), (400,)),
        OddRequest("a length in words", _long(path, "many", b"{}"), (400,)),
        OddRequest("a length beyond all numbers", _long(path, "9" * 20, b"{}"), (400, 413)),
        OddRequest("a length beyond the limit", _long(path, TOO_LARGE, b"{" * 1_000), (413,)),
        OddRequest("a body beyond the limit", _long(path, TOO_LARGE, b"{" * TOO_LARGE), (413,)),
        OddRequest("PUT", _request(f"PUT {path}", "Content-Length: 2\r\n", b"{}"), (405,)),
        OddRequest(
            "an address in Latin-1", _request(f"POST {path[:-9]}\xff", "Content-Length: 2\r\n", b"{}"), (400, 404)
        ),
        OddRequest("an address that climbs", _request("POST /hooks/../../etc", "Content-Length: 2\r\n", b"{}"), (404,)),
    ]


def send_raw(port: int, request: bytes) -> int | None:
    """The status of the answer; None if there is none."""
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_TIMEOUT_S) as connection:
        with contextlib.suppress(OSError):  # a server may respond and close before it has read everything
            connection.sendall(request)
        return _status(connection)


def _status(connection: socket.socket) -> int | None:
    answer = b""
    with contextlib.suppress(OSError):
        while b"\r\n" not in answer and (read := connection.recv(4_096)):
            answer += read
    words = answer.split(b" ", 2)
    return int(words[1]) if words[0].startswith(b"HTTP/1.") and b"\r\n" in answer else None


def _request(line: str, headers: str = "", body: bytes = b"") -> bytes:
    return f"{line} HTTP/1.1\r\n{headers}{_END}".encode("latin-1") + body


def _long(path: str, length: str | int, body: bytes) -> bytes:
    return _request(f"POST {path}", f"Content-Length: {length}\r\n", body)


def _chunked(path: str, body: bytes) -> bytes:
    return _request(f"POST {path}", "Transfer-Encoding: chunked\r\n", body)
