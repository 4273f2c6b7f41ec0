"""The settings of an installation. Each is declared once, as a field of `Settings`.

A field holds everything about its variable: how it is parsed and checked, and what `.env.example` and the document say
of it; `make settings` writes both. Only `pipeline.infra.environment` reads the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_type_hints

from environs import validate

from pipeline.infra.environment import read_environment
from pipeline.settings import flower, fulfilment, inbox, redis, retention
from pipeline.settings.derived import DEFAULT_PORT, PORT_FILE_NAME, derive_settings, read_last_port
from pipeline.settings.environment import parse_variables
from pipeline.settings.variable import (
    MIN_SECRET_CHARACTERS,
    build_url_check,
    check_addresses,
    check_memory_size,
    check_port,
    check_secrets,
    check_sender,
    declare,
    list_variables,
)

__all__ = ["DEFAULT_CRATEJOY_RATE", "PORT_FILE_NAME", "VARIABLES", "Settings", "read_environment"]

DEFAULT_CRATEJOY_RATE = 2.0  # requests a second to one store: Cratejoy names no number; a public client uses this one

_storage = partial(declare, "Storage")
_web = partial(declare, "Web")
_workers = partial(declare, "Workers")
_reconciliation = partial(declare, "Reconciliation")
_monitoring = partial(declare, "Monitoring")
_mail = partial(declare, "Mail")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one process. What could hold a secret stays out of the repr."""

    redis_url: str = redis.URL
    database_url: str = _storage(
        "DATABASE_URL",
        "The ledger: `postgresql://user:password@host/name` or `sqlite:////absolute/path.db`.",
        unset="SQLite in the data directory",
        example="postgresql://cratewire:secret@127.0.0.1/cratewire",
        check=build_url_check("sqlite", "postgres", "postgresql", "postgresql+psycopg", "sqlite+pysqlite"),
        secret=True,
    )
    broker_url: str = redis.BROKER_URL
    replicas: int = redis.REPLICAS
    data_dir: Path = _storage(  # noqa: RUF009 it returns a dataclass field
        "CRATEWIRE_DATA_DIR", "The directory of the spool, the secrets, SQLite and the embedded Valkeys.", default="var"
    )
    rehearsed_upgrades: bool = _storage(
        "CRATEWIRE_REHEARSED_UPGRADES",
        "With `true` a new version starts only after `cratewire rehearse --against` has shown no difference, or its "
        "differences were accepted.",
        default=False,
    )
    valkey_maxmemory: str | None = _storage(
        "CRATEWIRE_VALKEY_MAXMEMORY",
        "Memory limit of the embedded Valkey, such as `512mb`; beyond it hooks go to the spool.",
        example="512mb",
        check=check_memory_size,
    )
    port: int = _web(
        "PORT",
        "The port that web listens on.",
        unset=f"`{DEFAULT_PORT}`",
        example=str(DEFAULT_PORT),
        check=check_port,
    )
    host: str = _web(
        "CRATEWIRE_HOST",
        "The address that web listens on; `0.0.0.0` lets other machines in.",
        default="127.0.0.1",
        detail="Put a reverse proxy that speaks https in front.",
    )
    public_url: str = _web(
        "CRATEWIRE_PUBLIC_URL",
        "The address at which Cratejoy reaches web; hook URLs begin with it.",
        unset="`http://127.0.0.1:PORT`",
        example="https://hooks.example.com",
        check=build_url_check("http", "https"),
    )
    secret_keys: tuple[str, ...] = _web(
        "CRATEWIRE_SECRET_KEY",
        "Signs hook URLs and encrypts the platforms' keys. Several keys, separated by commas: the first is used, all "
        "are accepted.",
        unset="generated once, in `secret_key` in the data directory",
        detail="A new key goes in front. At least 16 characters each. Set it when processes run on more than one "
        "machine, and store a copy: without it no hook URL and no saved connection can be read again.",
        check=check_secrets,
        secret=True,
    )
    max_hook_bytes: int = _web(
        "CRATEWIRE_MAX_HOOK_BYTES",
        "The largest body of a hook; larger ones are refused with 413.",
        default=5_000_000,
        unit="bytes",
        check=validate.Range(1_000, 100_000_000),
    )
    store_hooks_per_minute: int = _web(
        "CRATEWIRE_STORE_HOOKS_PER_MINUTE",
        "How many hooks of one store are accepted within a minute; more are refused with 429.",
        default=60_000,
        unit="hooks",
        detail="Far above what a store sends: one that sends more would fill the inbox of all.",
        check=validate.Range(60, 100_000_000),
    )
    redis_timeout: float = _web(
        "CRATEWIRE_REDIS_TIMEOUT",
        "How long web waits for Redis before a hook goes to the spool.",
        default=0.2,
        unit="seconds",
        check=validate.Range(0.01, 30.0),
    )
    registration: str = _web(
        "CRATEWIRE_REGISTRATION",
        "Who may create an account on the pages: `open` (anyone) or `invited`.",
        default="open",
        detail="Invitations come from the owner of an account, or from `cratewire accounts invite`.",
        check=validate.OneOf(["open", "invited"]),
    )
    connect_anywhere: bool = _web(
        "CRATEWIRE_CONNECT_ANYWHERE",
        "For trying things out: with `true` the connect form also asks for the addresses of Cratejoy's API and of the "
        "platform, and both may be private.",
        default=False,
        detail="Anyone who can open the form can then make this machine call any address it can reach: never set it on "
        "a public installation.",
    )
    demo_store: str | None = _web(
        "CRATEWIRE_DEMO_STORE",
        "For trying things out: the name of a store that any visitor may look at as a reader, without an account.",
        example="demo",
        detail="Its account must have no other store. `cratewire demo` sets it. Never set it where the store holds "
        "data of real people.",
    )
    workers: int = _workers(
        "CRATEWIRE_WORKERS",
        "The number of worker processes. Unset, `cratewire run` starts one for each core, but 2 to 4.",
        default=4,
        check=validate.Range(1, 256),
    )
    batch: int = _workers(
        "CRATEWIRE_BATCH",
        "The largest number of hooks that are processed together.",
        default=250,
        unit="hooks",
        check=validate.Range(1, 1_000),
    )
    partitions: int = inbox.PARTITIONS
    cratejoy_rate: float = _workers(
        "CRATEWIRE_CRATEJOY_RATE",
        "The rate limit for one store's Merchant API, shared by all processes.",
        default=DEFAULT_CRATEJOY_RATE,
        unit="requests a second",
        detail="After a 429 all processes pause for as long as it says.",
        check=validate.Range(0.02, 1_000.0),
    )
    flower_host: str = flower.HOST
    flower_port: int = flower.PORT
    flower_at_start: bool = flower.AT_START
    flower_password: str = flower.PASSWORD
    reconcile_seconds: float = _reconciliation(
        "CRATEWIRE_RECONCILE_SECONDS",
        "How often a store's API is searched for events whose hooks never arrived; `0` for only on request.",
        default=3600.0,
        unit="seconds",
        check=validate.Range(0.0, 604_800.0),
    )
    reconcile_overlap_seconds: float = _reconciliation(
        "CRATEWIRE_RECONCILE_OVERLAP_SECONDS",
        "How far each search reaches back before the end of the previous one.",
        default=7200.0,
        unit="seconds",
        check=validate.Range(0.0, 604_800.0),
    )
    reconcile_grace_seconds: float = _reconciliation(
        "CRATEWIRE_RECONCILE_GRACE_SECONDS",
        "How late a hook may arrive before it counts as missed.",
        default=900.0,
        unit="seconds",
        check=validate.Range(0.0, 86_400.0),
    )
    fulfilment_pull_seconds: float = fulfilment.PULL
    fulfilment_tracking_seconds: float = fulfilment.TRACKING
    fulfilment_at_once: int = fulfilment.AT_ONCE
    fulfilment_stuck_seconds: float = fulfilment.STUCK
    keep_bodies_days: int = retention.BODIES
    keep_messages_days: int = retention.MESSAGES
    keep_calls_days: int = retention.CALLS
    keep_dead_hooks_days: int = retention.DEAD_HOOKS
    keep_events_days: int = retention.EVENTS
    keep_attribute_changes_days: int = retention.ATTRIBUTE_CHANGES
    keep_people_days: int = retention.PEOPLE
    heartbeat_seconds: float = _monitoring(
        "CRATEWIRE_HEARTBEAT_SECONDS",
        "How often web sends a test hook through inbox and worker into the ledger; `0` for never.",
        default=10.0,
        unit="seconds",
        detail="When none arrives for three times as long, `/readyz` answers 503 and `cratewire status --check` ends "
        "with exit code 1.",
        check=validate.Range(0.0, 3600.0),
    )
    canary_seconds: float = _monitoring(
        "CRATEWIRE_CANARY_SECONDS",
        "How often a test hook is sent to the public address, as Cratejoy sends its hooks; `0` for never.",
        default=300.0,
        unit="seconds",
        detail="An alarm is raised when none comes back.",
        check=validate.Range(0.0, 86_400.0),
    )
    alarm_url: str | None = _monitoring(
        "CRATEWIRE_ALARM_URL",
        "The web hook that receives alarms as signed notices ([docs/monitoring.md](docs/monitoring.md)).",
        detail="They are sent beside the mail to the owners. `cratewire alarms secret` shows the signing secret.",
        example="https://example.com/alarms",
        check=build_url_check("http", "https"),
        secret=True,  # its path may hold a key
    )
    metrics_token: str = _monitoring(
        "CRATEWIRE_METRICS_TOKEN",
        "The bearer token with which Prometheus reads `/metrics`.",
        unset="generated once, in `metrics_token` in the data directory",
        detail="At least 16 characters. Prometheus can be given the file as `credentials_file`.",
        check=validate.Length(min=MIN_SECRET_CHARACTERS),
        secret=True,
    )
    traces_url: str | None = _monitoring(
        "CRATEWIRE_TRACES_URL",
        "The OpenTelemetry collector that receives traces (OTLP over HTTP).",
        detail="Needs `cratewire[otel]`.",
        example="http://127.0.0.1:4318/v1/traces",
        check=build_url_check("http", "https"),
        secret=True,  # its path may hold a key
    )
    log_level: str = _monitoring(
        "CRATEWIRE_LOG_LEVEL",
        "`DEBUG`, `INFO`, `WARNING` or `ERROR`.",
        default="INFO",
        check=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]),
    )
    log_format: str = _monitoring(
        "CRATEWIRE_LOG_FORMAT", "`text` or `json`.", default="text", check=validate.OneOf(["text", "json"])
    )
    smtp_url: str | None = _mail(
        "SMTP_URL",
        "The server that sends our mail: `smtp://user:password@host:587` or `smtps://…:465`.",
        unset="the maildir `mail` in the data directory",
        detail="`smtp://` uses TLS where the server offers it, and always with a password. With the maildir, "
        "`cratewire run` logs the links in each mail.",
        example="smtp://cratewire:secret@mail.example.com:587",
        check=build_url_check("smtp", "smtps"),
        secret=True,
    )
    mail_from: str = _mail(
        "CRATEWIRE_MAIL_FROM",
        "The sender of our mail.",
        unset="`cratewire` at the host of `CRATEWIRE_PUBLIC_URL`",
        example="Cratewire <cratewire@example.com>",
        check=check_sender,
    )
    operator_mail: tuple[str, ...] = _mail(
        "CRATEWIRE_OPERATOR_MAIL",
        "Who gets the mails about what only an operator can fix ([docs/attention.md](docs/attention.md)); several "
        "addresses are separated by commas.",
        unset="the owners of the account that has had a store for longest",
        example="oncall@example.com",
        check=check_addresses,
        secret=True,
    )

    # Not declared: whether the URLs above are those of embedded Valkeys.
    embedded_redis: bool
    embedded_broker: bool

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], *, data_dir: Path | None = None, port: int | None = None
    ) -> Settings:
        """Read everything; raise one Misconfigured that names every variable with its fault.

        `data_dir` and `port` are the command line's and win over their variables.
        """
        read = parse_variables(environ, VARIABLES, get_type_hints(cls))
        home = Path(data_dir or read["data_dir"]).expanduser().absolute()
        read |= {"data_dir": home, "port": port or read["port"] or read_last_port(home)}
        return cls(**(read | derive_settings(read, home)))


VARIABLES = list_variables(Settings)  # field of Settings -> variable
