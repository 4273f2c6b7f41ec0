"""The systems under test: how each is started, and where its hooks go.

All listen on the same port and store their work in their own Valkey. Ours syncs every write; the peers' syncs once a
second, as is usual for a queue, and as is to their advantage.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from redis import Redis

from bench.chaos.databases import running_postgres
from bench.platform import Platform
from bench.processes import Folder, is_answering, wait_until
from pipeline.infra.crypto import hook_tokens
from pipeline.infra.embedded_valkey import (
    BROKER,
    EmbeddedValkey,
    build_command,
    find_free_port,
    is_up,
    load_embedded_valkey,
)
from receiver.open_files import MAX_CONNECTIONS

THREADS = 16  # of the Flask views; ours answers hooks on its event loop
WORKERS = 4  # processes, ours and the Python peers'
CONCURRENCY = 50  # jobs at once of the Node peer: they mostly wait
MIN_NODE_VERSION = 20  # Fastify 5 requires it; Debian 12 has 18
NODE = Path(__file__).parent / "peers" / "node"
ONE_STORE_SENDS_ALL = {"CRATEWIRE_STORE_HOOKS_PER_MINUTE": "100000000"}
SECRET = "a key for benchmarks only"  # noqa: S105 it guards nothing
_CELERY = [sys.executable, "-m", "celery"]


@dataclass(frozen=True, slots=True)
class SystemUnderTest:
    """A running system. `roots` are the processes whose resources count, with all their children."""

    port: int
    paths: Callable[[str], str]  # event -> path
    roots: tuple[int, ...]
    redis_url: str | None = None
    broker_url: str | None = None


StartSystem = Callable[[Folder, Platform], AbstractContextManager[SystemUnderTest]]


@contextmanager
def bare(folder: Folder, _: Platform | None = None) -> Iterator[SystemUnderTest]:
    """(a) A Flask view that does nothing."""
    with _granian(folder, "bench.peers.bare_flask:app") as (port, pid):
        yield SystemUnderTest(port, _peer_path, (pid,))


@contextmanager
def ours(
    folder: Folder, vendor: Platform, *, fsync: str = "always", database_url: str = "", database_pid: int | None = None
) -> Iterator[SystemUnderTest]:
    """Everything `cratewire run` starts: web, workers, backfill, beat, both Valkeys; SQLite unless a URL is given."""
    port, data = find_free_port(), folder.path / "data"
    settings = {"CRATEWIRE_DATA_DIR": str(data), "PORT": str(port), "CRATEWIRE_FLOWER_PORT": str(find_free_port())}
    settings |= {"CRATEWIRE_WORKERS": str(WORKERS), **ONE_STORE_SENDS_ALL}
    settings |= {"DATABASE_URL": database_url} if database_url else {}
    run = [sys.executable, "-m", "receiver.cli", "run"]
    with folder.running("cratewire", run, **settings) as (process, said):
        wait_until("cratewire", lambda: "Ready: " in said(), process, said)
        redis_url = load_embedded_valkey(data).url
        with Redis.from_url(redis_url) as redis:
            redis.config_set("appendfsync", fsync)
        paths = _connect(folder, vendor, settings)
        roots = (process.pid,) if database_pid is None else (process.pid, database_pid)
        broker_url = load_embedded_valkey(data, BROKER).url
        yield SystemUnderTest(port, paths.__getitem__, roots, redis_url, broker_url)


@contextmanager
def everysec(folder: Folder, vendor: Platform) -> Iterator[SystemUnderTest]:
    """Ours, with the peers' weaker setting."""
    with ours(folder, vendor, fsync="everysec") as contender:
        yield contender


@contextmanager
def on_postgresql(folder: Folder, vendor: Platform) -> Iterator[SystemUnderTest]:
    """Ours, on a PostgreSQL that syncs every commit."""
    with (
        running_postgres(folder.path, syncs=True) as (url, pid),
        ours(folder, vendor, database_url=url, database_pid=pid) as contender,
    ):
        yield contender


@contextmanager
def web(folder: Folder) -> Iterator[SystemUnderTest]:
    """Only the parts that acknowledge: our web process and Valkey."""
    port = find_free_port()
    with _valkey(folder) as (redis_url, valkey):
        more = {"REDIS_URL": redis_url, "CRATEWIRE_DATA_DIR": str(folder.path), "CRATEWIRE_SECRET_KEY": SECRET}
        more |= {"CRATEWIRE_REDIS_TIMEOUT": "5", "CRATEWIRE_LOG_LEVEL": "WARNING"}
        more |= ONE_STORE_SENDS_ALL
        serve = [sys.executable, "-m", "receiver.serve", "--port", str(port)]
        with folder.running("web", serve, **more) as (process, said):
            wait_until("our web process", lambda: is_answering(port), process, said)
            token = hook_tokens.sign([SECRET], "bench", 1)
            yield SystemUnderTest(port, lambda event: f"/hooks/bench/{token}/{event}", (valkey, process.pid), redis_url)


@contextmanager
def textbook(folder: Folder, vendor: Platform) -> Iterator[SystemUnderTest]:
    """(b) A Celery chain of four per hook."""
    with _celery_peer(folder, vendor, "textbook") as contender:
        yield contender


@contextmanager
def one_task(folder: Folder, vendor: Platform) -> Iterator[SystemUnderTest]:
    """(c) One late-acknowledged Celery task per hook."""
    with _celery_peer(folder, vendor, "one_task") as contender:
        yield contender


@contextmanager
def node(folder: Folder, vendor: Platform) -> Iterator[SystemUnderTest]:
    """(d) Fastify and BullMQ."""
    with _node_peer(folder, vendor, "worker.js") as contender:
        yield contender


@contextmanager
def node_with_ledger(folder: Folder, vendor: Platform) -> Iterator[SystemUnderTest]:
    """(e) Fastify and BullMQ, with hooks, people, events and messages in a PostgreSQL, and repeated hooks dropped."""
    with (
        running_postgres(folder.path, syncs=True) as (url, pid),
        _node_peer(folder, vendor, "worker_with_ledger.js", PEER_DATABASE=url) as contender,
    ):
        yield replace(contender, roots=(*contender.roots, pid))


@contextmanager
def redis(folder: Folder) -> Iterator[Redis]:
    """A Valkey alone."""
    with _valkey(folder) as (url, _), Redis.from_url(url) as client:
        yield client


@contextmanager
def _node_peer(folder: Folder, vendor: Platform, script: str, **variables: str) -> Iterator[SystemUnderTest]:
    port = find_free_port()
    with ExitStack() as stack:
        redis_url, valkey = stack.enter_context(_valkey(folder))
        more = {**_peer_environment(vendor, redis_url), "PORT": str(port), "PEER_CONCURRENCY": str(CONCURRENCY)}
        more |= variables
        worker, _ = stack.enter_context(folder.running("worker", ["node", str(NODE / script)], **more))
        web, said = stack.enter_context(folder.running("web", ["node", str(NODE / "server.js")], **more))
        wait_until("the Node server", lambda: is_answering(port), web, said)
        yield SystemUnderTest(port, _peer_path, (valkey, worker.pid, web.pid), redis_url)


@contextmanager
def _celery_peer(folder: Folder, vendor: Platform, peer: str) -> Iterator[SystemUnderTest]:
    with ExitStack() as stack:
        redis_url, valkey = stack.enter_context(_valkey(folder))
        more = {**_peer_environment(vendor, redis_url), "PEER": peer}
        work = [*_CELERY, "-A", f"bench.peers.{peer}", "worker", "--concurrency", str(WORKERS), "-l", "WARNING"]
        worker, said = stack.enter_context(folder.running("worker", work, **more))
        port, web = stack.enter_context(_granian(folder, "bench.peers.flask_view:app", **more))
        with Redis.from_url(redis_url) as redis:  # a worker that listens has made its bindings
            wait_until(
                peer, lambda: redis.exists("_kombu.binding.celery.pidbox", "_kombu.binding.celery"), worker, said
            )
        yield SystemUnderTest(port, _peer_path, (valkey, worker.pid, web), redis_url)


@contextmanager
def _granian(folder: Folder, app: str, **more: str) -> Iterator[tuple[int, int]]:
    """Our server with our settings."""
    port = find_free_port()
    options = ["--interface", "wsgi", "--http", "1", "--no-ws", "--workers", "1", "--blocking-threads", str(THREADS)]
    options += ["--backpressure", str(MAX_CONNECTIONS), "--port", str(port), "--log-level", "error"]
    with folder.running("web", [sys.executable, "-m", "granian", *options, app], **more) as (process, said):
        wait_until(app, lambda: is_answering(port), process, said)
        yield port, process.pid


@contextmanager
def _valkey(folder: Folder) -> Iterator[tuple[str, int]]:
    server = EmbeddedValkey(folder.path, find_free_port(), "bench")
    with folder.running("valkey", build_command(server)) as (process, said):
        wait_until("Valkey", lambda: is_up(server), process, said)
        with Redis.from_url(server.url) as redis:
            redis.config_set("appendfsync", "everysec")
        yield server.url, process.pid


def _connect(folder: Folder, vendor: Platform, settings: dict[str, str]) -> dict[str, str]:
    """What a merchant does once. Returns the path of each event's hooks."""
    keys = ["--site-id", vendor.site_id, "--api-key", vendor.api_key, "--base-url", vendor.url]
    connect: Sequence[str] = [
        "receiver.cli",
        "connect",
        "--store",
        "bench",
        "--platform",
        "customerio",
        *keys,
        "--json",
    ]
    done = subprocess.run(
        [sys.executable, "-m", *connect], env=folder.environment | settings, capture_output=True, check=True
    )
    return {event: urlsplit(url).path for event, url in json.loads(done.stdout)["hooks"].items()}


def _peer_environment(vendor: Platform, redis_url: str) -> dict[str, str]:
    return {
        "PEER_REDIS": redis_url,
        "PEER_PLATFORM": vendor.url,
        "PEER_SITE_ID": vendor.site_id,
        "PEER_API_KEY": vendor.api_key,
    }


def _peer_path(event: str) -> str:
    return f"/hooks/bench/1.{'x' * 43}/{event}"
