"""What most commands open and take: settings, database and Redis of an installation, and its data directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click
from redis import RedisError
from redis.exceptions import ResponseError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from pipeline.context import Context, build_context, now_us
from pipeline.core.errors import Misconfigured
from pipeline.infra.redis_client import open_redis
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.faults import classify_database_error
from pipeline.ledger.revision import is_current
from pipeline.ledger.stores import StoreRow, find_store
from pipeline.rehearsal.releases import check_release, note_release
from pipeline.settings import Settings, read_environment
from receiver.doctor.redis import explain_error
from receiver.document import as_document as as_document  # noqa: PLC0414 the commands import it from here

if TYPE_CHECKING:
    from pipeline.ledger.migrations.plan import Plan

_MICROS = 1_000_000
LARGEST_ID = 2**63 - 1  # of a row in any database

P = ParamSpec("P")
R = TypeVar("R")


def data_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add --data, which the command takes as `data` and passes to `load_settings` or `open_context`."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        help="The data directory; overrides CRATEWIRE_DATA_DIR.",
    )(command)


def load_settings(data: Path | None, port: int | None = None) -> Settings:
    """Load the settings of this command. Raises Misconfigured."""
    return Settings.from_environment(read_environment(), data_dir=data, port=port)


class TimeType(click.ParamType[int]):
    """A day or a time of an option, in UTC unless it names an offset; the command gets µs since the epoch."""

    name = "time"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is no day or time such as 2026-11-30 or 2026-11-30T03:12", param, ctx)
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * _MICROS)


def get_named_store(conn: Connection, name: str) -> StoreRow:
    """Return the store of this name. Raises Misconfigured if there is none."""
    store = find_store(conn, name)
    if store is None:
        raise Misconfigured(f"no store {name}: see `cratewire stores list`")
    return store


def is_row_id(text: str) -> bool:
    """Return whether the text can be the id of a row."""
    return text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST_ID)) and int(text) <= LARGEST_ID


@contextmanager
def open_context(data: Path | None) -> Iterator[Context]:
    """Open the installation of this data directory. Raises Misconfigured if its database or Redis does not answer."""
    settings = load_settings(data)
    engine = make_engine(settings.database_url)
    redis = open_redis(settings.redis_url, socket_timeout=15, socket_connect_timeout=5)
    try:
        if not is_current(engine):
            raise Misconfigured("the database is not up to date: run `cratewire migrate` (`cratewire run` does it too)")
        yield build_context(settings, engine, redis)
    except RedisError as error:
        raise _redis_fault(error) from error
    except SQLAlchemyError as error:
        raise _database_fault(error) from error
    finally:
        engine.dispose()
        redis.close()


@contextmanager
def _open_engine(url: str) -> Iterator[Engine]:
    engine = make_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def migrate_database(settings: Settings) -> str:
    """Migrate the database, if this version may start there. Returns the revision. Raises Misconfigured if not."""
    from pipeline.ledger.migrations import migrate  # noqa: PLC0415  alembic takes long to import
    from pipeline.processing.release import RELEASE, get_running_version  # noqa: PLC0415  it reads all of the source

    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _open_engine(settings.database_url) as engine:
            if settings.rehearsed_upgrades:
                with reading(engine) as conn:
                    check_release(conn, RELEASE, get_running_version())
            revision = migrate(settings.database_url, partial(click.echo, err=True))
            with writing(engine) as conn:
                note_release(conn, RELEASE, get_running_version(), now_us())
            return revision
    except SQLAlchemyError as error:
        raise _database_fault(error) from error


def migrate_database_back(settings: Settings, revision: str) -> str:
    """Migrate the database back. Returns its revision."""
    from pipeline.ledger.migrations import migrate_back  # noqa: PLC0415  alembic takes long to import

    try:
        return migrate_back(settings.database_url, revision)
    except SQLAlchemyError as error:
        raise _database_fault(error) from error


def plan_migration(settings: Settings) -> Plan:
    """Return what a migration would do. Changes nothing."""
    from pipeline.ledger.migrations.plan import read_plan  # noqa: PLC0415  alembic takes long to import

    try:
        return read_plan(settings.database_url)
    except SQLAlchemyError as error:
        raise _database_fault(error) from error


def _redis_fault(error: RedisError) -> Misconfigured:
    if not isinstance(error, ResponseError):
        return Misconfigured(f"Redis does not answer ({type(error).__name__}): is `cratewire run` up?")
    says, advice = explain_error(error)
    return Misconfigured(f"Redis {says}. {advice}")


def _database_fault(error: SQLAlchemyError) -> Misconfigured:
    trouble = classify_database_error(error)
    if trouble is None or not trouble.detail:
        kind = type(error).__name__
        return Misconfigured(f"the database does not answer ({kind}): check DATABASE_URL and the server")
    return Misconfigured(f"{trouble.says} ({trouble.code}: {trouble.detail}). {trouble.advice}")


def format_time(at: int | None) -> str:
    """Format a time in µs, in UTC."""
    return "" if at is None else datetime.fromtimestamp(at / _MICROS, UTC).strftime("%Y-%m-%d %H:%M:%S")
