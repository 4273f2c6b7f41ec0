"""All checks of `cratewire doctor`, and those of Python, settings, data directory and broker."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

from kombu.connection import Connection

from pipeline.infra.embedded_valkey import is_run_active
from pipeline.infra.private_files import find_exposed_files
from pipeline.infra.redis_client import SENTINEL_SCHEMES
from pipeline.settings import VARIABLES, Settings
from receiver.doctor.attention import check_attention
from receiver.doctor.chain import check_chain, check_public_endpoint
from receiver.doctor.counts import check_counts
from receiver.doctor.database import check_database, check_encrypted_values, check_secret_key
from receiver.doctor.finding import Finding, FindingState
from receiver.doctor.partitions import check_partitions
from receiver.doctor.redis import CONNECT_TIMEOUT_S, check_redis, find_fault, open_redis
from receiver.doctor.regulations import check_regulations
from receiver.doctor.replicas import check_replicas
from receiver.doctor.retention import check_retention
from receiver.open_files import check_open_files, get_hard_limit

SUPPORTED_PYTHONS = ((3, 11), (3, 15))
MIN_FREE_BYTES = 200_000_000  # below this the spool would soon refuse hooks
CONNECT_VARIABLE_PREFIX = "CRATEWIRE_CONNECT_"  # secrets for `cratewire connect`
DATA_DIRECTORY_ADVICE = "Let this user read and write that directory, or choose another with CRATEWIRE_DATA_DIR."
_REDIS_SCHEMES = ("redis", "rediss", "unix", *SENTINEL_SCHEMES)


def run_checks(settings: Settings, environ: Mapping[str, str], now: Callable[[], float]) -> Iterator[Finding]:
    """Yield every finding, in the order in which to fix them."""
    yield _check_python(sys.version_info[:2])
    yield from _check_variables(environ)
    yield check_open_files(get_hard_limit())
    yield from _check_data_directory(settings)
    yield _check_file_permissions(settings)
    unreachable = _get_embedded_redis_advice(settings) if settings.embedded_redis else "Check REDIS_URL and the server."
    yield from check_redis(settings.redis_url, unreachable, now)
    yield from check_replicas(settings)
    yield from check_partitions(settings)
    if settings.broker_url != settings.redis_url:
        yield _check_broker(settings)
    yield from check_database(settings)
    yield from check_secret_key(settings)
    yield from check_encrypted_values(settings)
    yield from check_regulations(settings)
    yield from check_chain(settings, now)
    yield from check_public_endpoint(settings, now)
    yield from check_retention(settings, now)
    yield from check_counts(settings, now)
    yield from check_attention(settings, now)


def _check_python(version: tuple[int, ...]) -> Finding:
    says = ".".join(map(str, version))
    if SUPPORTED_PYTHONS[0] <= version < SUPPORTED_PYTHONS[1]:
        return Finding("python", "ok", says)
    return Finding("python", "wrong", says, "Use Python 3.11, 3.12, 3.13 or 3.14.")


def _check_variables(environ: Mapping[str, str]) -> Iterator[Finding]:
    known = {row.name for row in VARIABLES.values()}
    ours = (name for name in environ if name.startswith("CRATEWIRE_") and not name.startswith(CONNECT_VARIABLE_PREFIX))
    unknown = sorted(set(ours) - known)
    if unknown:
        yield Finding("settings", "note", f"unknown: {', '.join(unknown)}", "Compare the names with .env.example.")
    else:
        yield Finding("settings", "ok", "read")


def _check_data_directory(settings: Settings) -> Iterator[Finding]:
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.data_dir):
            free = shutil.disk_usage(settings.data_dir).free
    except OSError as error:
        yield Finding("data directory", "wrong", f"{settings.data_dir}: {error.strerror}", DATA_DIRECTORY_ADVICE)
        return
    yield Finding("data directory", "ok", f"{settings.data_dir} can be written")
    state: FindingState = "ok" if free >= MIN_FREE_BYTES else "wrong"
    advice = "" if state == "ok" else "Free space: hooks are refused when the disk is full."
    yield Finding("free space", state, f"{free / 1e9:.1f} GB", advice)


def _check_file_permissions(settings: Settings) -> Finding:
    found = find_exposed_files(settings.data_dir, settings.database_url)
    if not found:
        return Finding("private files", "ok", "no other user of this machine can read them")
    says = f"{len(found)} can be read by other users of this machine, for example {found[0]}"
    return Finding(
        "private files", "wrong", says, "`cratewire run` corrects it at its start; or: chmod -R go= on them."
    )


def _get_embedded_redis_advice(settings: Settings) -> str:
    if is_run_active(settings.data_dir):
        return "`cratewire run` is up, but its Valkey does not answer: restart it and check its log."
    return "Start it with `cratewire run`."


def _check_broker(settings: Settings) -> Finding:
    advice = "Check CRATEWIRE_BROKER_URL (also user, password and virtual host) and the server."
    advice = _get_embedded_redis_advice(settings) if settings.embedded_broker else advice
    if urlsplit(settings.broker_url).scheme in _REDIS_SCHEMES:
        with contextlib.closing(open_redis(settings.broker_url)) as client:
            fault = find_fault(client, "CRATEWIRE_BROKER_URL", advice)
        return Finding("broker", "wrong", *fault) if fault else Finding("broker", "ok", "answers, and can be written")
    with Connection(settings.broker_url, connect_timeout=CONNECT_TIMEOUT_S) as broker:  # type: ignore[no-untyped-call]
        try:
            broker.connect()
        except (OSError, *broker.connection_errors, *broker.channel_errors) as error:
            return Finding("broker", "wrong", f"no answer ({type(error).__name__})", advice)
    return Finding("broker", "ok", "answers")
