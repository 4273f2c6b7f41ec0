"""How many forms one network may send in a minute, so that nobody tries passwords or keys by the thousand."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Lock

from flask import Flask, abort, request

MOST_A_MINUTE = 30  # more than a person sends, fewer than a guesser needs
MOST_NETWORKS = 10_000  # are remembered; then the oldest is forgotten
_MINUTE_US = 60_000_000
_ONE_CUSTOMER = 64  # bits of an IPv6 address that tell two customers of a provider apart


class Crowd:
    """Counts what each network sent in the last minute, in this process."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._sent: dict[str, deque[int]] = {}
        self._lock = Lock()

    def lets_in(self, network: str) -> bool:
        """Count one more; False if it is one too many."""
        with self._lock:
            sent = self._sent.pop(network, deque())
            self._sent[network] = sent  # the newest are last
            if len(self._sent) > MOST_NETWORKS:
                self._sent.pop(next(iter(self._sent)))
            now = self._now()
            while sent and sent[0] <= now - _MINUTE_US:
                sent.popleft()
            if len(sent) >= MOST_A_MINUTE:
                return False
            sent.append(now)
            return True


def network_of(peer: str, forwarded: str) -> str | None:
    """Where a request comes from; None if nobody can tell.

    A peer on a private network is a reverse proxy of ours: then the last address it forwards is the one it has seen
    itself. Those before it are whatever the visitor liked to write, and behind a proxy that forwards none all
    visitors look alike: nobody is counted then, since a crowd of one would lock out everybody else.
    """
    address = _public(peer) or _public(forwarded.rpartition(",")[2])
    if address is None:
        return None
    width = _ONE_CUSTOMER if address.version == 6 else 32  # noqa: PLR2004 - the two versions of IP
    return str(ip_network((address, width), strict=False))


def network_here() -> str | None:
    """Where this request comes from."""
    return network_of(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""))


def keep_crowds_out(app: Flask, now: Callable[[], int]) -> None:
    """Before anything else is done about a form."""
    crowd = Crowd(now)

    @app.before_request
    def count() -> None:
        if request.method == "POST":
            network = network_here()
            if network is not None and not crowd.lets_in(network):
                abort(429)


def _public(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip().strip("[]"))
    except ValueError:
        return None
    return address if address.is_global else None
