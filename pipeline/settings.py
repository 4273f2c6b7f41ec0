"""What this installation is told from outside: the only module that reads the environment."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from dotenv import dotenv_values
from environs import Env, EnvValidationError, ValidationError, validate

from pipeline.core.errors import Misconfigured
from pipeline.infra.embedded_valkey import BROKER, load_embedded_valkey
from pipeline.infra.secret_files import read_or_create

MIN_SECRET_CHARACTERS = 16
MAX_SENDER_CHARACTERS = 500  # characters; the standard library takes minutes for a sender of a megabyte
DEFAULT_PORT = 8080
PORT_FILE_NAME = "port"  # a file in the data directory
DEFAULT_CRATEJOY_RATE = (
    2.0  # requests a second to one store: Cratejoy names no number; a public client keeps to this one
)


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: environs' parser, what holds when it is unset, and what it must satisfy."""

    name: str
    parser: str = "str"
    default: Any = None
    check: Callable[[Any], object] | None = None


def _build_url_check(*schemes: str) -> Callable[[str], None]:
    def check(value: str) -> None:
        if urlsplit(value).scheme not in schemes:
            raise ValidationError(f"Must be a URL that begins with {', '.join(f'{scheme}://' for scheme in schemes)}.")

    return check


def _check_secrets(value: str) -> None:
    if any(len(key) < MIN_SECRET_CHARACTERS for key in _split_list(value)):
        raise ValidationError(f"Every key needs at least {MIN_SECRET_CHARACTERS} characters.")


def _check_sender(value: str) -> None:
    address = parseaddr(value)[1] if len(value) <= MAX_SENDER_CHARACTERS else ""
    if "@" not in address.strip("@"):
        raise ValidationError("Must be a mail address, such as Cratewire <cratewire@example.com>.")


def _check_addresses(value: str) -> None:
    if not all("@" in address.strip("@") for address in _split_list(value)):
        raise ValidationError("Must be mail addresses, with commas between them.")


_CHECK_REDIS_URL = _build_url_check("redis", "rediss", "unix")
_CHECK_PORT = validate.Range(1, 65535)
_CHECK_MEMORY_SIZE = validate.Regexp(r"\d+(kb|mb|gb)?\Z", error="Must be a number of bytes, or one with kb, mb or gb.")

# Settings attribute -> variable. `.env.example` explains each.
VARIABLES: dict[str, Variable] = {
    "redis_url": Variable("REDIS_URL", check=_CHECK_REDIS_URL),
    "database_url": Variable(
        "DATABASE_URL",
        check=_build_url_check("sqlite", "postgres", "postgresql", "postgresql+psycopg", "sqlite+pysqlite"),
    ),
    "host": Variable("CRATEWIRE_HOST", default="127.0.0.1"),
    "port": Variable("PORT", "int", check=_CHECK_PORT),
    "secret_keys": Variable("CRATEWIRE_SECRET_KEY", check=_check_secrets),
    "public_url": Variable("CRATEWIRE_PUBLIC_URL", check=_build_url_check("http", "https")),
    "data_dir": Variable("CRATEWIRE_DATA_DIR", default="var"),
    "broker_url": Variable("CRATEWIRE_BROKER_URL", check=_build_url_check("redis", "rediss", "amqp", "amqps")),
    "max_hook_bytes": Variable("CRATEWIRE_MAX_HOOK_BYTES", "int", 5_000_000, validate.Range(1_000, 100_000_000)),
    "redis_timeout": Variable("CRATEWIRE_REDIS_TIMEOUT", "float", 0.2, validate.Range(0.01, 30.0)),
    "batch": Variable("CRATEWIRE_BATCH", "int", 250, validate.Range(1, 1_000)),
    "cratejoy_rate": Variable("CRATEWIRE_CRATEJOY_RATE", "float", DEFAULT_CRATEJOY_RATE, validate.Range(0.02, 1_000.0)),
    "reconcile_seconds": Variable("CRATEWIRE_RECONCILE_SECONDS", "float", 3600.0, validate.Range(0.0, 604_800.0)),
    "reconcile_overlap_seconds": Variable(
        "CRATEWIRE_RECONCILE_OVERLAP_SECONDS", "float", 7200.0, validate.Range(0.0, 604_800.0)
    ),
    "reconcile_grace_seconds": Variable(
        "CRATEWIRE_RECONCILE_GRACE_SECONDS", "float", 900.0, validate.Range(0.0, 86_400.0)
    ),
    "workers": Variable("CRATEWIRE_WORKERS", "int", 4, validate.Range(1, 256)),
    "flower_host": Variable("CRATEWIRE_FLOWER_HOST", default="127.0.0.1"),
    "flower_port": Variable("CRATEWIRE_FLOWER_PORT", "int", 5555, _CHECK_PORT),
    "flower_password": Variable("CRATEWIRE_FLOWER_PASSWORD", check=validate.Length(min=8)),
    "valkey_maxmemory": Variable("CRATEWIRE_VALKEY_MAXMEMORY", check=_CHECK_MEMORY_SIZE),
    "heartbeat_seconds": Variable("CRATEWIRE_HEARTBEAT_SECONDS", "float", 10.0, validate.Range(0.0, 3600.0)),
    "canary_seconds": Variable("CRATEWIRE_CANARY_SECONDS", "float", 300.0, validate.Range(0.0, 86_400.0)),
    "alarm_url": Variable("CRATEWIRE_ALARM_URL", check=_build_url_check("http", "https")),
    "metrics_token": Variable("CRATEWIRE_METRICS_TOKEN", check=validate.Length(min=MIN_SECRET_CHARACTERS)),
    "traces_url": Variable("CRATEWIRE_TRACES_URL", check=_build_url_check("http", "https")),
    "operator_mail": Variable("CRATEWIRE_OPERATOR_MAIL", check=_check_addresses),
    "smtp_url": Variable("SMTP_URL", check=_build_url_check("smtp", "smtps")),
    "mail_from": Variable("CRATEWIRE_MAIL_FROM", check=_check_sender),
    "connect_anywhere": Variable("CRATEWIRE_CONNECT_ANYWHERE", "bool", default=False),
    "registration": Variable("CRATEWIRE_REGISTRATION", default="open", check=validate.OneOf(["open", "invited"])),
    "log_level": Variable(
        "CRATEWIRE_LOG_LEVEL", default="INFO", check=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"])
    ),
    "log_format": Variable("CRATEWIRE_LOG_FORMAT", default="text", check=validate.OneOf(["text", "json"])),
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one process. What could hold a secret stays out of the repr."""

    redis_url: str = field(repr=False)
    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    host: str
    port: int
    public_url: str
    data_dir: Path
    secret_keys: tuple[str, ...] = field(repr=False)  # the first signs, all verify
    max_hook_bytes: int
    redis_timeout: float
    batch: int
    cratejoy_rate: float
    reconcile_seconds: float  # 0: only when somebody asks for it
    reconcile_overlap_seconds: float
    reconcile_grace_seconds: float
    workers: int
    flower_host: str
    flower_port: int
    flower_password: str = field(repr=False)
    valkey_maxmemory: str | None
    heartbeat_seconds: float  # 0: none
    canary_seconds: float  # 0: none
    alarm_url: str | None = field(repr=False)  # its path may hold a key
    metrics_token: str = field(repr=False)
    traces_url: str | None = field(repr=False)  # its path may hold a key
    operator_mail: tuple[str, ...] = field(repr=False)  # who runs the installation
    smtp_url: str | None = field(repr=False)
    mail_from: str
    connect_anywhere: bool  # whether the connect form asks for addresses, which strangers may then have us call
    registration: str  # open: anybody may make an account; invited: only who was invited
    log_level: str
    log_format: str
    embedded_redis: bool
    embedded_broker: bool

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], *, data_dir: Path | None = None, port: int | None = None
    ) -> Settings:
        """Read everything; raise one Misconfigured that names every variable with its fault.

        `data_dir` and `port` are the command line's and win over their variables.
        """
        read = _parse_variables(environ)
        home = Path(data_dir or read["data_dir"]).expanduser().absolute()
        read |= {"data_dir": home, "port": port or read["port"] or read_last_port(home)}
        return cls(**(read | _derive_settings(read, home)))


def read_last_port(home: Path) -> int:
    """Where the last `cratewire run` of this data directory listened, so that other commands name the same URLs."""
    try:
        return int((home / PORT_FILE_NAME).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return DEFAULT_PORT


def read_environment(dotenv: Path | None = Path(".env")) -> dict[str, str]:
    """This process's environment, over what a `.env` file in the working directory says."""
    from_file = dotenv_values(dotenv) if dotenv else {}
    return {name: value for name, value in from_file.items() if value is not None} | dict(os.environ)


def _parse_variables(environ: Mapping[str, str]) -> dict[str, Any]:
    env = _MappingEnv(environ)
    read = {
        attribute: getattr(env, row.parser)(row.name, default=row.default, validate=row.check)
        for attribute, row in VARIABLES.items()
    }
    try:
        env.seal()
    except EnvValidationError as error:
        found = cast("Mapping[str, list[str]]", error.error_messages)
        faults = [f"{name}: {' '.join(messages)}" for name, messages in sorted(found.items())]
        raise Misconfigured("\n".join(faults)) from None  # the cause may quote a value
    return read


def _derive_settings(read: Mapping[str, Any], home: Path) -> dict[str, Any]:
    """What follows from the rest: secrets made once, embedded parts where no URL is configured."""
    redis_url = read["redis_url"] or load_embedded_valkey(home).url
    public_url = (read["public_url"] or f"http://127.0.0.1:{read['port']}").rstrip("/")
    keys = read["secret_keys"] or read_or_create(home / "secret_key", lambda: secrets.token_urlsafe(48))
    return {
        "redis_url": redis_url,
        "embedded_redis": not read["redis_url"],
        "database_url": read["database_url"] or f"sqlite:///{home / 'cratewire.db'}",
        "broker_url": read["broker_url"] or read["redis_url"] or load_embedded_valkey(home, BROKER).url,
        "embedded_broker": not (read["broker_url"] or read["redis_url"]),
        "public_url": public_url,
        "mail_from": read["mail_from"] or f"Cratewire <cratewire@{_mail_domain(public_url)}>",
        "secret_keys": _split_list(keys),
        "operator_mail": _split_list(read["operator_mail"] or ""),
        "metrics_token": read["metrics_token"]
        or read_or_create(home / "metrics_token", lambda: secrets.token_urlsafe(32)),
        "flower_password": read["flower_password"]
        or read_or_create(home / "flower_password", lambda: secrets.token_urlsafe(18)),
    }


def _mail_domain(public_url: str) -> str:
    """Where mail of ours comes from, if nobody says: no address can end with a bare number."""
    host = urlsplit(public_url).hostname or ""
    return host if any(letter.isalpha() for letter in host) and ":" not in host else "localhost"


def _split_list(text: str) -> tuple[str, ...]:
    return tuple(part for part in map(str.strip, text.split(",")) if part)


class _MappingEnv(Env):
    """environs over a mapping that is handed in. An empty variable counts as unset, as in a filled-in `.env`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(eager=False)
        self._given = {name: value for name, value in environ.items() if value.strip()}

    def _get_value(self, env_key: str, default: Any) -> Any:
        return self._given.get(env_key, default)
