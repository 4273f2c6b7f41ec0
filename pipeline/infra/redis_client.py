"""Opens a Redis client: of one server, or of the primary that Sentinels name at the moment.

Through Sentinels every new connection first asks where the primary is, and a primary that answers READONLY because it
was demoted is left, and asked for anew. The command under way fails; its caller tries again later, as when Redis is
away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from redis import Redis
from redis.connection import parse_url
from redis.sentinel import Sentinel, SentinelConnectionPool

SENTINEL, TLS_SENTINEL = "redis+sentinel", "rediss+sentinel"
SENTINEL_SCHEMES = (SENTINEL, TLS_SENTINEL)
DEFAULT_SENTINEL_PORT = 26379
_NO_BRACKETS = {ord("["): None, ord("]"): None}
_TIMEOUTS = ("socket_timeout", "socket_connect_timeout")
_SENTINEL_OPTIONS = {"sentinel_username": "username", "sentinel_password": "password"}  # of the URL's query


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """Who is asked for the primary, its name, and how to connect. The repr shows no password.

    `options` are those of a connection to Redis, `sentinel_options` those of one to a Sentinel: db, username, password
    and, with TLS, `ssl` and the certificates.
    """

    sentinels: tuple[tuple[str, int], ...]  # host and port
    primary: str
    options: Mapping[str, Any] = field(repr=False)
    sentinel_options: Mapping[str, Any] = field(repr=False)

    @property
    def is_encrypted(self) -> bool:
        """Whether both Redis and the Sentinels are reached by TLS."""
        return bool(self.options.get("ssl"))

    @property
    def tls_options(self) -> dict[str, Any]:
        """The certificates and how they are checked."""
        return {name: value for name, value in self.options.items() if name.startswith("ssl_")}


def is_sentinel_url(url: str) -> bool:
    """Return whether the URL names Sentinels instead of a server."""
    return url.partition("://")[0].lower() in SENTINEL_SCHEMES


def parse_sentinel_url(url: str) -> SentinelAddress:
    """Parse `redis+sentinel://user:password@host:26379,host/name/0?sentinel_username=…&sentinel_password=…`.

    User and password are Redis's. With `rediss+sentinel://` both are reached by TLS, and the query takes redis-py's
    `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`, `ssl_cert_reqs` and `ssl_check_hostname`. Raises ValueError with what
    is wrong, which quotes nothing of the URL.
    """
    scheme, _, rest = url.partition("://")
    place = re.split("[/?#]", rest, maxsplit=1)[0]
    try:  # without an IPv6 address's brackets, which Python 3.14 reads as those of the only host
        parts = urlsplit(f"{scheme}://{place.translate(_NO_BRACKETS)}{rest.removeprefix(place)}")
    except ValueError:  # its text quotes the password
        raise ValueError("Is an address that cannot be read: redis+sentinel://host:26379,host:26379/NAME.") from None
    user, _, hosts = place.rpartition("@")
    primary, _, database = parts.path.strip("/").partition("/")
    if not primary:
        raise ValueError("Must name the primary after the Sentinels: redis+sentinel://host:26379,host:26379/NAME.")
    if database and not database.isdecimal():
        raise ValueError("Must end with the number of a database: redis+sentinel://host:26379/NAME/0.")
    query = dict(parse_qsl(parts.query))
    sentinel_options = {_SENTINEL_OPTIONS[name]: query.pop(name) for name in _SENTINEL_OPTIONS if name in query}
    is_encrypted = parts.scheme == TLS_SENTINEL
    plain = f"{'rediss' if is_encrypted else 'redis'}://{user}@redis/{database or 0}?{urlencode(query)}"
    options: dict[str, Any] = parse_url(plain)  # type: ignore[no-untyped-call]
    for name in ("host", "connection_class"):
        options.pop(name, None)
    tls = {"ssl": True, **{name: value for name, value in options.items() if name.startswith("ssl_")}}
    if is_encrypted:
        options, sentinel_options = options | tls, sentinel_options | tls
    return SentinelAddress(_parse_hosts(hosts), primary, options, sentinel_options)


def open_redis(url: str, **options: Any) -> Redis:
    """Return a client that connects when it is first used. `options` are redis-py's for each connection.

    Raises ValueError if the URL is malformed.
    """
    if not is_sentinel_url(url):
        return Redis.from_url(url, **options)
    address = parse_sentinel_url(url)
    pool = SentinelConnectionPool(  # type: ignore[no-untyped-call]
        address.primary, open_sentinels(address, **options), **{**address.options, **options}
    )
    return Redis.from_pool(pool)


def open_sentinels(address: SentinelAddress, **options: Any) -> Sentinel:
    """Return the Sentinels, with the timeouts among `options`. One that does not answer is not tried again."""
    timeouts = {name: options[name] for name in _TIMEOUTS if name in options}
    return Sentinel(  # type: ignore[no-untyped-call]
        address.sentinels, sentinel_kwargs={**address.sentinel_options, **timeouts, "retry": None}
    )


def _parse_hosts(text: str) -> tuple[tuple[str, int], ...]:
    try:
        hosts = [urlsplit(f"//{host}") for host in text.split(",")]
        found = tuple((host.hostname or "", host.port or DEFAULT_SENTINEL_PORT) for host in hosts)
    except ValueError:
        raise ValueError("Must have a port from 1 to 65535 at each Sentinel, or none.") from None
    if not all(host for host, _ in found):
        raise ValueError("Must name a host for each Sentinel, with commas between them.")
    return found
