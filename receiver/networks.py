"""Finds the network that a request comes from."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_IPV6_CUSTOMER_BITS = 64  # providers assign a customer at least a /64


def find_network(peer: str, forwarded_for: str) -> str | None:
    """Return the network of a request; None if it is unknown.

    A peer on a private network is our reverse proxy: then the last address of X-Forwarded-For is the one that the proxy
    saw. Those before it can be made up by the client. Behind a proxy that forwards no address all clients look alike:
    their network is unknown and is not limited, since one of them would lock out all others.

    Werkzeug's ProxyFix does not replace this: it trusts X-Forwarded-For from every peer, and a client that connects
    directly could then choose its network.
    """
    address = _parse_public_address(peer) or _parse_public_address(forwarded_for.rpartition(",")[2])
    if address is None:
        return None
    width = _IPV6_CUSTOMER_BITS if address.version == 6 else 32  # noqa: PLR2004 - the two versions of IP
    return str(ip_network((address, width), strict=False))


def _parse_public_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip().strip("[]"))
    except ValueError:
        return None
    return address if address.is_global else None
