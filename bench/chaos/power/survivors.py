"""Starts the real programs on a state of the disks, and says which hooks they still have."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis, RedisError
from sqlalchemy import select

from bench.chaos.databases import POSTGRES, find_postgres
from pipeline.context import now_us
from pipeline.core.partitions import MAX_PARTITIONS
from pipeline.inbox.entry import InboxEntry, RawHook, from_fields
from pipeline.inbox.spool.queue import Spool
from pipeline.infra import redis_keys
from pipeline.infra.embedded_valkey import FLAGS, find_free_port
from pipeline.ledger.engine import make_engine, reading
from pipeline.ledger.schema.core import Event
from pipeline.processing.decode import decode_batch
from pipeline.processing.record import record
from pipeline.processing.validate import validate_batch

START_TIMEOUT_S = 60.0
_EMPTY_DIRECTORIES = (  # of PostgreSQL; a state has files only
    *("pg_notify", "pg_tblspc", "pg_replslot", "pg_twophase", "pg_snapshots", "pg_commit_ts", "pg_dynshmem", "pg_stat"),
    *("pg_stat_tmp", "pg_serial", "pg_logical/snapshots", "pg_logical/mappings", "pg_subtrans"),
    *("pg_wal/archive_status", "pg_wal/summaries"),
)
_SUBJECT = re.compile(r'subject_id = "(\d+)"')


@dataclass
class Survivors:
    """The hooks that are left, and what did not start. `recorded` counts the ledger's events by their subject."""

    waiting: list[InboxEntry] = field(default_factory=list)  # in the inbox and the spools
    recorded: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def subjects(self) -> set[str]:
        """What hooks that are left are about."""
        return {_get_subject(hook) for hook in self.waiting} | set(self.recorded)


def read_survivors(folder: Path, ledger: str, valkey: Path) -> Survivors:
    """Start everything on the state in this folder: `valkey`, `spool` and `ledger` in it. `valkey`: its program."""
    found = Survivors()
    with _collecting_faults(found, "valkey"), _started_valkey(folder / "valkey", valkey) as redis:
        found.waiting += _read_inbox(redis)
    for place in sorted((folder / "spool").glob("*")) if (folder / "spool").exists() else ():
        with _collecting_faults(found, "spool"):
            found.waiting += _read_spool(place)
    with _collecting_faults(found, ledger):
        found.recorded = (_read_sqlite if ledger == "sqlite" else _read_postgres)(folder / "ledger")
    return found


def record_waiting(folder: Path, found: Survivors, secret_keys: Sequence[str]) -> Counter[str]:
    """Record in SQLite what waits, as the chain does after the power is back. Returns the events by their subject."""
    engine = make_engine(f"sqlite:///{folder / 'ledger' / 'cratewire.db'}")
    hooks = [entry for entry in found.waiting if entry.store]  # not the heartbeats
    batch = validate_batch(decode_batch(hooks, now_us(), now_us), now_us)
    record(engine, batch, {hook.entry_id: (hook.raw, hook.query) for hook in hooks}, now_us, secret_keys)
    with reading(engine) as conn:
        recorded = Counter(str(subject) for subject in conn.execute(select(Event.subject_id)).scalars())
    engine.dispose()
    return recorded


@contextmanager
def _collecting_faults(found: Survivors, what: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 whatever keeps it from starting is the finding
        found.faults.append(f"{what}: {type(error).__name__}: {str(error)[:300]}")


@contextmanager
def _started_valkey(directory: Path, program: Path) -> Iterator[Redis]:
    directory.mkdir(parents=True, exist_ok=True)
    port, log = find_free_port(), directory / "cut.log"
    flags = [part for name, value in FLAGS.items() for part in (f"--{name}", value.strip('"'))]
    command = [str(program), *flags, "--port", str(port), "--dir", str(directory), "--logfile", str(log)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = Redis(port=port, socket_timeout=10)
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _is_loaded(client):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"it did not start: {log.read_text()[-300:] if log.exists() else ''}")
            time.sleep(0.01)
        yield client
    finally:
        client.close()
        server.kill()
        server.wait()


def _is_loaded(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


def _read_inbox(redis: Redis) -> list[InboxEntry]:
    with redis.pipeline(transaction=False) as pipe:
        for partition in range(MAX_PARTITIONS):
            pipe.xrange(redis_keys.in_partition(redis_keys.INBOX, partition))
        rows: Any = pipe.execute()
    return [from_fields(entry_id.decode(), fields) for part in rows for entry_id, fields in part]


def _read_spool(place: Path) -> list[InboxEntry]:
    spool = Spool(place)
    try:
        rows = spool.peek(1_000_000, 1_000_000_000)
    finally:
        spool.close()
    return [_as_entry(hook) for _, hook in rows]


def _as_entry(hook: RawHook) -> InboxEntry:
    fields = {name: getattr(hook, name) for name in RawHook.__dataclass_fields__}
    return InboxEntry(**fields, entry_id=f"spooled-{hook.receipt}")


def _read_sqlite(directory: Path) -> Counter[str]:
    with contextlib.closing(sqlite3.connect(directory / "cratewire.db")) as db:
        verdict = db.execute("PRAGMA integrity_check").fetchone()[0]
        if verdict != "ok":
            raise RuntimeError(f"integrity_check: {verdict}")
        return Counter(str(subject) for (subject,) in db.execute("SELECT subject_id FROM events"))


def _read_postgres(directory: Path) -> Counter[str]:
    """Recovery and the query in one process, without a server."""
    data, user = directory / "data", POSTGRES if os.geteuid() == 0 else None  # it refuses to run as root
    for name in _EMPTY_DIRECTORIES:
        (data / name).mkdir(parents=True, exist_ok=True)
    data.chmod(0o700)
    if user is not None:
        for path in (directory, *directory.rglob("*")):
            shutil.chown(path, user)
    command = [str(find_postgres()), "--single", "-D", str(data), "-c", "log_min_messages=panic", "postgres"]
    query = b"SELECT subject_id FROM events\n"
    done = subprocess.run(command, input=query, capture_output=True, check=False, user=user, cwd="/", timeout=120)
    if done.returncode:
        raise RuntimeError(f"it did not start: {done.stderr[-300:].decode(errors='replace')}")
    return Counter(_SUBJECT.findall(done.stdout.decode()))


def _get_subject(hook: RawHook) -> str:
    try:
        return str(json.loads(hook.raw).get("id"))
    except (ValueError, AttributeError):
        return ""
