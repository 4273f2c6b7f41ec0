"""Connects to public addresses only, and to the very ones that were looked at.

Where a merchant says where to call, the answer could be a machine of our own network, or the metadata service of a
cloud. A name is resolved once: its addresses are judged, and the connection goes to one of those, so that no second
answer of a name server can lead elsewhere.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

LOOPBACK = ("127.0.0.1", "::1", "localhost")  # where keys may travel without TLS: they leave no machine
_NAT64 = ip_network("64:ff9b::/96")  # whose last 32 bits are an IPv4 address


class AddressNotPublic(HTTPError):
    """The host has an address that is not public; nothing was sent."""


class PublicAddressMixin:
    """What a connection of urllib3 becomes by this: it goes to public addresses, or raises NotPublic."""

    host: str
    port: int
    _dns_host: str

    def _new_conn(self) -> socket.socket:
        name, failure = self._dns_host, None
        try:
            for address in self._addresses(name):
                self._dns_host = address  # urllib3 connects to this, and checks certificates against the name
                try:
                    made: socket.socket = super()._new_conn()  # type: ignore[misc]
                except (NewConnectionError, ConnectTimeoutError) as error:
                    failure = error
                else:
                    return made
        finally:
            self._dns_host = name
        raise failure or AddressNotPublic(name)

    def _addresses(self, name: str) -> list[str]:
        try:
            found = socket.getaddrinfo(name.strip("[]"), self.port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise NameResolutionError(self.host, self, _as_gaierror(error)) from error  # type: ignore[arg-type]
        addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))
        if not all(map(is_public, addresses)):
            raise AddressNotPublic(name)
        return addresses


def is_public(text: str) -> bool:
    """Whether an address is one of the internet's, in whatever form it comes. An IPv4 address inside one counts."""
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
