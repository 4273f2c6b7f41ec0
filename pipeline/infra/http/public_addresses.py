"""Connects to public addresses only, and to exactly those that were checked.

Where a merchant names the address to call, it could be that of a machine in our own network, or of a cloud's metadata
service. A name is resolved once: its addresses are checked, and the connection goes to one of them, so that a second
DNS answer cannot redirect it.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

LOOPBACK = ("127.0.0.1", "::1", "localhost")  # keys may be sent there without TLS: they do not leave the machine
_NAT64 = ip_network("64:ff9b::/96")  # the last 32 bits are an IPv4 address


class AddressNotPublic(HTTPError):
    """The host has an address that is not public; nothing was sent."""


class PublicAddressMixin:
    """A mixin for urllib3's connections: connects to public addresses, or raises AddressNotPublic."""

    host: str
    port: int
    _dns_host: str

    def _new_conn(self) -> socket.socket:
        name, failure = self._dns_host, None
        try:
            for address in self._addresses(name):
                self._dns_host = address  # urllib3 connects to this, and checks certificates against the name
                try:
                    connected: socket.socket = super()._new_conn()  # type: ignore[misc]
                except (NewConnectionError, ConnectTimeoutError) as error:
                    failure = error
                else:
                    return connected
        finally:
            self._dns_host = name
        raise failure or AddressNotPublic(name)

    def _addresses(self, name: str) -> list[str]:
        try:
            found = socket.getaddrinfo(name.strip("[]"), self.port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise NameResolutionError(self.host, self, _as_gaierror(error)) from error  # type: ignore[arg-type]
        addresses = list(dict.fromkeys(str(socket_address[0]) for *_, socket_address in found))
        if not all(map(is_public, addresses)):
            raise AddressNotPublic(name)
        return addresses


def is_public_host(name: str) -> bool:
    """Whether all addresses of a host are public; True for a name that is not resolved."""
    try:
        found = socket.getaddrinfo(name.strip("[]"), None, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return True
    return all(is_public(str(socket_address[0])) for *_, socket_address in found)


def is_public(text: str) -> bool:
    """Whether an IP address is public. An IPv6 address that embeds an IPv4 address is judged by that."""
    address = ip_address(text)
    inner = _get_embedded_ipv4(address)
    if inner is not None:
        return is_public(str(inner))
    return address.is_global and not address.is_multicast


def _get_embedded_ipv4(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _as_gaierror(error: Any) -> socket.gaierror:
    return error if isinstance(error, socket.gaierror) else socket.gaierror(socket.EAI_NONAME, "not a name")
