"""The connections of a thread to the targets of the hooks: keep-alive, and only to this machine."""

import http.client
import ipaddress
import select
from urllib.parse import SplitResult, urlsplit

HEADERS = {"Content-Type": "application/json", "User-Agent": "sandbox-store/1"}


class HttpSender:
    """Post a body at a time and return the status, or None without a response."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._open: dict[tuple[str, str], http.client.HTTPConnection] = {}

    def send(self, method: str, url: str, body: bytes | None) -> int | None:
        target = urlsplit(url)
        if target.scheme not in {"http", "https"} or not is_loopback(target.hostname):
            return None
        try:
            return self._exchange(method, target, body)
        except (OSError, http.client.HTTPException):
            self._hang_up(target)
            return None

    def _exchange(self, method: str, target: SplitResult, body: bytes | None) -> int:
        connection = self._connection(target)
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        connection.request(method, path, body, HEADERS if body is not None else {"User-Agent": HEADERS["User-Agent"]})
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def _connection(self, target: SplitResult) -> http.client.HTTPConnection:
        key = (target.scheme, target.netloc)
        if key in self._open and is_closed_by_peer(self._open[key]):
            self._hang_up(target)
        if key not in self._open:
            kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
            self._open[key] = kind(target.hostname or "", target.port, timeout=self._timeout)
        return self._open[key]

    def _hang_up(self, target: SplitResult) -> None:
        connection = self._open.pop((target.scheme, target.netloc), None)
        if connection:
            connection.close()

    def close(self) -> None:
        for connection in self._open.values():
            connection.close()
        self._open.clear()


def is_closed_by_peer(connection: http.client.HTTPConnection) -> bool:
    """Whether the other side has hung up: an idle line on which something waits to be read is no longer idle."""
    if connection.sock is None:
        return False
    readable, _, _ = select.select([connection.sock], [], [], 0)
    return bool(readable)


def is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
