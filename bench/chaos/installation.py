"""An installation on this machine: web, two workers, beat, two embedded Valkeys, a database, a sandbox Customer.io.

Every process is that of the Procfile, so that a failure in the bench is a failure in production.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from redis import Redis
from sqlalchemy import Engine, func, select

from bench.chaos.databases import make_short_directory, start_postgres
from bench.chaos.disk import remove_disk, small_disk
from bench.chaos.platform import Platform
from bench.chaos.proxy import Proxy
from bench.chaos.replicated import start_replica
from bench.chaos.supervisor import SupervisedProcess, Supervisor
from bench.chaos.waiting import is_answering, wait_until
from pipeline.inbox import stream
from pipeline.infra import redis_keys
from pipeline.infra.embedded_valkey import (
    BROKER,
    INBOX_SERVER,
    EmbeddedValkey,
    build_command,
    find_free_port,
    is_up,
    load_embedded_valkey,
)
from pipeline.infra.redis_client import open_redis
from pipeline.ledger.deliveries.status import OPEN
from pipeline.ledger.engine import make_engine, reading
from pipeline.ledger.schema.core import DeadHook, Delivery, Event
from pipeline.settings import read_environment
from receiver.supervisor.procfile import PROCFILE, build_shell_command

if TYPE_CHECKING:
    from bench.chaos.boxes.shops import Shops

STORE = "chaos"
INSTALLATION_VARIABLES = ("REDIS_URL", "DATABASE_URL", "PORT", "CRATEWIRE_")  # what configures another installation
DISK_MB = {"ledger_disk": 400, "spool_disk": 24}  # a PostgreSQL is large; below 16 MB a spool calls itself full
WORKERS = {"worker": "worker@%h", "worker2": "worker2@%h"}
SETTINGS = {
    "CRATEWIRE_WORKERS": "2",
    "CRATEWIRE_CONNECT_ANYWHERE": "true",  # the sandboxes are on loopback
    "CRATEWIRE_FULFILMENT_PULL_SECONDS": "5",
    "CRATEWIRE_FULFILMENT_TRACKING_SECONDS": "5",
    "CRATEWIRE_FULFILMENT_STUCK_SECONDS": "15",
    "CRATEWIRE_CRATEJOY_RATE": "10",
    "CRATEWIRE_LOG_LEVEL": "WARNING",  # two sweeps a second would drown everything else
}


@dataclass
class Installation:
    """What runs, and where."""

    keeper: Supervisor
    valkey: EmbeddedValkey
    redis: Redis  # past the proxy
    broker: Redis  # Celery's, past its proxy
    database_url: str
    engine: Engine
    proxy: Proxy
    broker_proxy: Proxy
    port: int
    platform: Platform
    hooks: dict[str, str]  # event -> path of its hook URL
    numbers: int = 0  # given to hooks so far
    people: int = 0  # and to people
    ledger_disk: Path | None = None  # disks that may be filled
    spool_disk: Path | None = None
    shops: Shops | None = None  # of the faults while boxes go out
    wrong_release: str = ""  # that the workers of the fulfilment are to be
    proxies: list[Proxy] = field(default_factory=list)  # further ones

    @property
    def data_dir(self) -> Path:
        """Where the spool is."""
        return self.valkey.data_dir

    @property
    def ledger_file(self) -> Path:
        """SQLite's file."""
        return Path(self.database_url.removeprefix("sqlite:///"))

    @property
    def is_disk_half_full(self) -> bool:
        """Whether the ledger uses half of its small disk: the next fault would fill it."""
        if self.ledger_disk is None:
            return False
        disk = shutil.disk_usage(self.ledger_disk)
        return disk.used > disk.total / 2

    def waiting(self) -> int:
        """Hooks on disk and in the inbox, and deliveries that have not left."""
        with reading(self.engine) as db:
            open_ones = db.execute(select(func.count()).select_from(Delivery).where(OPEN)).scalar_one()
        return self.spooled() + stream.depth(self.redis) + int(open_ones)

    def repeats(self) -> int:
        """How many repeated hooks were recognised so far."""
        with reading(self.engine) as db:
            return int(db.execute(select(func.coalesce(func.sum(Event.duplicates), 0))).scalar_one())

    def set_aside(self) -> set[tuple[str, str]]:
        """Address and subject of every message that a platform refused for good."""
        with reading(self.engine) as db:
            refused = db.execute(select(Delivery.message).where(Delivery.status == "dead", Delivery.kind == "event"))
            return {(refusal["email"].lower(), str(refusal["data"].get("subject_id"))) for refusal in refused.scalars()}

    def accounted(self) -> int:
        """Hooks that became an event, were recognised as repeats, or were set aside."""
        with reading(self.engine) as db:
            return self.repeats() + sum(
                db.execute(select(func.count()).select_from(table)).scalar_one() for table in (Event, DeadHook)
            )

    def unknown_events(self) -> int:
        """Stored hooks of unknown events."""
        with reading(self.engine) as db:
            unknown = select(func.count()).select_from(Event).where(Event.outcome == "unknown_event")
            return int(db.execute(unknown).scalar_one())

    def parked(self) -> int:
        """Celery messages that no worker understood."""
        return int(self.redis.llen(redis_keys.HELD_MESSAGES))

    def dead_bodies(self) -> set[bytes]:
        """The raw bytes of hooks that were set aside."""
        with reading(self.engine) as db:
            return {zlib.decompress(raw) for raw in db.execute(select(DeadHook.raw)).scalars()}

    def dead_hooks(self) -> Counter[str]:
        """Hooks that were set aside, by reason."""
        with reading(self.engine) as db:
            return Counter(db.execute(select(DeadHook.reason)).scalars())

    def connect(self, platform: Platform, label: str = "") -> None:
        """Connect the store to a workspace, or mend the connection there is."""
        self.hooks = _connect(self.keeper, platform, label)

    def connect_further(self, options: Sequence[str]) -> None:
        """Connect the store to a further platform, by the options of `cratewire connect`."""
        _output(self.keeper, "connect", "--store", STORE, *options, "--no-people", "--json")

    def connect_store(self, store: str) -> dict[str, str]:
        """Add a store with its own workspace; return the path of its hook URL by event."""
        return _connect(self.keeper, self.platform.second(), "", store)

    def spooled(self) -> int:
        """Hooks on disk."""
        return sum(map(_rows, self.data_dir.glob("spool/*/hooks.db")))

    def migrate(self) -> None:
        """Upgrade the database to the newest revision of the code that is used now."""
        _output(self.keeper, "migrate")

    def close_clients(self) -> None:
        """Close the connections of this process."""
        for proxy in (self.proxy, self.broker_proxy, *self.proxies):
            proxy.stop()
        for client in (self.redis, self.broker):
            client.close()
        self.engine.dispose()


@contextmanager
def start_installation(  # noqa: PLR0913 what an installation is like
    folder: Path,
    database: str,
    *,
    worker: str = "celery",
    disks: bool = False,
    code: Path | None = None,
    replicas: int | None = None,
    syncs: bool = False,
) -> Iterator[Installation]:
    """Start everything; `database` is sqlite or postgresql. `worker` is the program that runs the workers.

    `code`: the checkout whose code everything runs, if it is not this one. `replicas`: how many are waited for, if the
    Valkey is a primary with a replica and Sentinels. `syncs`: whether PostgreSQL waits for its disk.
    """
    keeper = Supervisor(folder, _environment(folder))
    if code is not None:
        keeper.use_code(code)
    with ExitStack() as stack:
        places = _disks(folder, database, stack) if disks else {}
        ours = stack.enter_context(ExitStack())  # is closed when the children have ended
        stack.callback(keeper.stop)
        running = _start(keeper, database, worker, places, replicas, syncs=syncs)
        ours.callback(running.close_clients)
        yield running


def _environment(folder: Path) -> dict[str, str]:
    inherited = {
        name: text for name, text in read_environment(None).items() if not name.startswith(INSTALLATION_VARIABLES)
    }
    programs = str(Path(sys.executable).parent)
    path = f"{programs}:{inherited.get('PATH', '')}"
    data = {"CRATEWIRE_DATA_DIR": str(folder / "data"), "PORT": str(find_free_port()), "PYTHONUNBUFFERED": "1"}
    return inherited | SETTINGS | data | {"PATH": path}


def _disks(folder: Path, database: str, stack: ExitStack) -> dict[str, Path]:
    """Small disks for what may be filled. They are gone before the folder is."""
    ledger = folder / "ledger" if database == "sqlite" else make_short_directory()
    disks = {"ledger_disk": ledger, "spool_disk": folder / "data" / "spool"}
    for name, place in disks.items():
        small_disk(place, DISK_MB[name])
        stack.callback(remove_disk, place)
    return disks


def _start(
    keeper: Supervisor, database: str, worker: str, disks: dict[str, Path], replicas: int | None, *, syncs: bool
) -> Installation:
    valkey, broker = (_start_valkey(keeper, name) for name in (INBOX_SERVER, BROKER))
    proxy, broker_proxy = Proxy(valkey.port), Proxy(broker.port)
    url = f"sqlite:///{disks.get('ledger_disk', keeper.folder / 'data') / 'cratewire.db'}"
    if database != "sqlite":
        url = start_postgres(keeper, disks.get("ledger_disk") or make_short_directory(), syncs=syncs)
    keeper.environment |= {
        "DATABASE_URL": url,
        "REDIS_URL": _proxied_url(proxy, valkey),
        "CRATEWIRE_BROKER_URL": _proxied_url(broker_proxy, broker),
    }
    if replicas is not None:
        start_replica(keeper, valkey, replicas)
    platform = _start_platform(keeper)
    hooks = _connect(keeper, platform, "")
    for name, line in _processes(worker).items():
        keeper.keep(SupervisedProcess(name, build_shell_command(line)))
    port = int(keeper.environment["PORT"])
    wait_until(lambda: is_answering(port), "web answers")
    return Installation(
        keeper=keeper,
        valkey=valkey,
        redis=open_redis(keeper.environment["REDIS_URL"] if replicas is not None else valkey.url, socket_timeout=10),
        broker=Redis.from_url(broker.url, socket_timeout=10),
        database_url=url,
        engine=make_engine(url),
        proxy=proxy,
        broker_proxy=broker_proxy,
        port=port,
        platform=platform,
        hooks=hooks,
        ledger_disk=disks.get("ledger_disk"),
        spool_disk=disks.get("spool_disk"),
    )


def _processes(worker: str) -> dict[str, str]:
    line = PROCFILE["worker"].replace("celery", worker, 1)
    lines = {name: line.replace("worker@%h", node) for name, node in WORKERS.items()}
    return {"web": PROCFILE["web"], **lines, "beat": PROCFILE["beat"]}


def _proxied_url(proxy: Proxy, server: EmbeddedValkey) -> str:
    """The server's URL for those who are to reach it by its proxy."""
    return server.url.replace(f":{server.port}/", f":{proxy.port}/")


def _start_valkey(keeper: Supervisor, name: str) -> EmbeddedValkey:
    data = Path(keeper.environment["CRATEWIRE_DATA_DIR"])
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    server = load_embedded_valkey(data, name)
    keeper.keep(SupervisedProcess(name, build_command(server)))
    wait_until(lambda: is_up(server), f"{name} answers")
    return server


def _start_platform(keeper: Supervisor) -> Platform:
    keeper.keep(SupervisedProcess("customerio", [sys.executable, "-m", "sandbox.customerio"]))
    log = keeper.log("customerio")
    wait_until(lambda: "\n" in log.read_text(), "the sandbox listens")
    return Platform(**json.loads(log.read_text().splitlines()[0]))


def _connect(keeper: Supervisor, platform: Platform, label: str, store: str = STORE) -> dict[str, str]:
    keys = ("--site-id", platform.site_id, "--api-key", platform.api_key, "--region", platform.region)
    where = ("--store", store, "--platform", "customerio", "--base-url", platform.url, "--label", label)
    connected = json.loads(_output(keeper, "connect", *where, *keys, "--json"))
    return {event: urlsplit(url).path for event, url in connected["hooks"].items()}


def _output(keeper: Supervisor, *arguments: str) -> str:
    command_line = [sys.executable, "-m", "receiver.cli", *arguments]
    done = subprocess.run(
        command_line, cwd=keeper.code, env=keeper.environment, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        raise RuntimeError(f"{arguments[0]} failed: {done.stderr[-2000:]}")
    return done.stdout


def _rows(spool: Path) -> int:
    with closing(sqlite3.connect(spool, timeout=5)) as db:
        return int(db.execute("SELECT count(*) FROM hooks").fetchone()[0])
