"""How kombu and redbeat spell a Redis that is found through Sentinels."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from pipeline.infra.redis_client import SentinelAddress, parse_sentinel_url

_TIMEOUTS_S = {"socket_timeout": 5, "socket_connect_timeout": 3}  # of a Sentinel; the next is asked after it


def build_broker_settings(url: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return Celery's settings of a broker. `options`: those of the transport that every Redis has."""
    address = parse_sentinel_url(url)
    found = {"master_name": address.primary, "sentinel_kwargs": _build_sentinel_options(address)}
    tls = {"broker_use_ssl": {"ssl_cert_reqs": "required", **address.tls_options}} if address.is_encrypted else {}
    return {"broker_url": _build_kombu_url(address), "broker_transport_options": {**options, **found}, **tls}


def build_redbeat_settings(url: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return redbeat's settings of its Redis. `options`: those that every Redis has."""
    address = parse_sentinel_url(url)
    login = {name: address.options[name] for name in ("username", "password", "db") if name in address.options}
    found = {
        "sentinels": [list(sentinel) for sentinel in address.sentinels],
        "service_name": address.primary,
        "sentinel_kwargs": _build_sentinel_options(address),
    }
    tls = {"redbeat_redis_use_ssl": address.tls_options} if address.is_encrypted else {}
    return {"redbeat_redis_url": "redis-sentinel://", "redbeat_redis_options": {**options, **login, **found}, **tls}


def _build_sentinel_options(address: SentinelAddress) -> dict[str, Any]:
    return {**_TIMEOUTS_S, **address.sentinel_options, "retry": None}  # the next Sentinel is asked instead


def _build_kombu_url(address: SentinelAddress) -> str:
    """One URL for each Sentinel, with semicolons between them."""
    options = address.options
    login = ":".join(quote(str(options.get(name) or ""), safe="") for name in ("username", "password"))
    at = f"{login}@" if login != ":" else ""
    hosts = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in address.sentinels]
    return ";".join(f"sentinel://{at}{host}/{options.get('db', 0)}" for host in hosts)
