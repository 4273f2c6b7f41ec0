"""What applies where a variable is unset: secrets generated once, embedded Valkeys, SQLite, the last port."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.core.errors import Misconfigured
from pipeline.infra.embedded_valkey import BROKER, load_embedded_valkey
from pipeline.infra.secret_files import read_or_create
from pipeline.settings.variable import split_list

DEFAULT_PORT = 8080
DEFAULT_PARTITIONS = {True: 4, False: 1}  # of the inbox, by whether several can be recorded at once: not on SQLite
PORT_FILE_NAME = "port"  # a file in the data directory


def read_last_port(data_dir: Path) -> int:
    """The port of the last `cratewire run` in this data directory, so that other commands print the same URLs."""
    try:
        return int((data_dir / PORT_FILE_NAME).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return DEFAULT_PORT


def derive_settings(read: Mapping[str, Any], data_dir: Path) -> dict[str, Any]:
    """The settings that depend on others. Creates secrets and the configuration of embedded Valkeys where needed."""
    if read["replicas"] and not read["redis_url"]:
        raise Misconfigured("CRATEWIRE_REPLICAS: needs REDIS_URL, since the embedded Valkey has no replicas")
    redis_url = read["redis_url"] or load_embedded_valkey(data_dir).url
    public_url = (read["public_url"] or f"http://127.0.0.1:{read['port']}").rstrip("/")
    is_postgresql = (read["database_url"] or "").startswith("postgres")
    keys = read["secret_keys"] or read_or_create(data_dir / "secret_key", lambda: secrets.token_urlsafe(48))
    return {
        "redis_url": redis_url,
        "embedded_redis": not read["redis_url"],
        "database_url": read["database_url"] or f"sqlite:///{data_dir / 'cratewire.db'}",
        "broker_url": read["broker_url"] or read["redis_url"] or load_embedded_valkey(data_dir, BROKER).url,
        "embedded_broker": not (read["broker_url"] or read["redis_url"]),
        "public_url": public_url,
        "partitions": read["partitions"] or DEFAULT_PARTITIONS[is_postgresql],
        "mail_from": read["mail_from"] or f"Cratewire <cratewire@{_get_mail_domain(public_url)}>",
        "secret_keys": split_list(keys),
        "operator_mail": split_list(read["operator_mail"] or ""),
        "metrics_token": read["metrics_token"]
        or read_or_create(data_dir / "metrics_token", lambda: secrets.token_urlsafe(32)),
        "flower_password": read["flower_password"]
        or read_or_create(data_dir / "flower_password", lambda: secrets.token_urlsafe(18)),
    }


def _get_mail_domain(public_url: str) -> str:
    """The domain of our sender: the public host, or localhost, since no mail address can end with an IP address."""
    host = urlsplit(public_url).hostname or ""
    return host if any(letter.isalpha() for letter in host) and ":" not in host else "localhost"
