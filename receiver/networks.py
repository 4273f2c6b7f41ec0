"""From which network a request comes. Pure: it imports no web framework."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_IPV6_CUSTOMER_BITS = 64  # bits of an IPv6 address that tell two customers of a provider apart


def find_network(peer: str, forwarded_for: str) -> str | None:
    """Where a request comes from; None if that cannot be known.

    A peer on a private network is a reverse proxy of ours: then the last address it forwards is the one it has seen
    itself. Those before it are whatever the visitor liked to write, and behind a proxy that forwards none all
    visitors look alike: they are not counted then, since one of them would lock out all others.
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
