"""The processes of the measure: the Procfile's, with two backfill workers that can be killed, and both sandboxes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from redis import Redis

from bench.machine import descendants
from bench.platform import Platform, start_platform
from bench.processes import Folder, is_answering, request_json, wait_until
from pipeline.infra.embedded_valkey import EmbeddedValkey, build_command, find_free_port, is_up
from pipeline.ledger.migrations import migrate
from pipeline.settings import Settings
from receiver.supervisor.procfile import PROCFILE, build_child_environment, build_shell_command

_SECRET = "a key for benchmarks only"  # noqa: S105 it guards nothing
RESTART_DELAY_S = 1.0  # seconds before a killed worker is started again, as `cratewire run` does


@dataclass
class Installation:
    """What is running."""

    folder: Folder
    platform: Platform
    store: dict[str, str]  # url, client_id, client_secret
    port: int
    database_url: str
    environment: dict[str, str]
    stack: ExitStack
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def connect(self, *more: str) -> dict[str, str]:
        """What a merchant does; with Cratejoy's keys the hooks are registered and the backfill begins."""
        keys = ("--site-id", self.platform.site_id, "--api-key", self.platform.api_key, "--base-url", self.platform.url)
        connect = ("receiver.cli", "connect", "--store", "bench", "--platform", "customerio", *keys, *more)
        hooks: dict[str, str] = self.command(*connect, "--storefront-source", "1", "--json")["hooks"]
        return {event: urlsplit(url).path for event, url in hooks.items()}

    def connect_cratejoy(self) -> None:
        """With the store's keys."""
        where = ("--cratejoy-url", f"{self.store['url']}/v1/")
        self.connect("--client-id", self.store["client_id"], "--client-secret", self.store["client_secret"], *where)

    def command(self, *typed: str) -> Any:
        """Run a module of ours and read its JSON."""
        done = subprocess.run(
            [sys.executable, "-m", *typed], env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{typed[1]} failed: {done.stderr[-2000:]}")
        return json.loads(done.stdout)

    def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call a control path of the sandbox store."""
        return request_json(f"{self.store['url']}/_sandbox/{path}", body)

    def start_worker(self, number: int) -> None:
        """A backfill worker."""
        line = PROCFILE["backfill"].replace("backfill@", f"backfill{number}-{time.monotonic_ns()}@")
        process, _ = self.stack.enter_context(
            self.folder.running(f"backfill{number}-{len(self.workers)}", build_shell_command(line), **self.environment)
        )
        if number < len(self.workers):
            self.workers[number] = process
        else:
            self.workers.append(process)

    def kill_worker(self, number: int) -> None:
        """Kill all its processes at once with SIGKILL, then start a replacement."""
        for pid in descendants([self.workers[number].pid]):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(RESTART_DELAY_S)
        self.start_worker(number)


@contextmanager
def start_installation(
    folder: Folder,
    rate: float,
    postgres: str | None,
    *,
    backfill_workers: int = 2,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Installation]:
    """Everything up; nothing connected. `variables`: further settings."""
    with ExitStack() as stack:
        platform = stack.enter_context(start_platform(folder))
        store, said = stack.enter_context(folder.running("store", [sys.executable, "-m", "sandbox.store"]))
        wait_until("the sandbox store", lambda: "\n" in said(), store, said)
        server = EmbeddedValkey(folder.path, find_free_port(), "bench")
        valkey, valkey_said = stack.enter_context(folder.running("valkey", build_command(server)))
        wait_until("Valkey", lambda: is_up(server), valkey, valkey_said)
        port = find_free_port()
        more = {"REDIS_URL": server.url, "CRATEWIRE_DATA_DIR": str(folder.path), "CRATEWIRE_SECRET_KEY": _SECRET}
        more |= {"PORT": str(port), "CRATEWIRE_CRATEJOY_RATE": str(rate), "CRATEWIRE_WORKERS": "2"}
        more |= {"CRATEWIRE_LOG_LEVEL": "WARNING"} | ({"DATABASE_URL": postgres} if postgres else {})
        more |= variables or {}
        settings = Settings.from_environment(folder.environment | more)
        environment = build_child_environment(settings, folder.environment | more)
        migrate(settings.database_url)
        made = Installation(
            folder, platform, json.loads(said().splitlines()[0]), port, settings.database_url, environment, stack
        )
        _start(made, ("web", "worker", "beat"), backfill_workers)
        with Redis.from_url(server.url) as redis:
            wait_until("a worker", lambda: redis.exists("cratewire:celery:_kombu.binding.hooks"), valkey, valkey_said)
        yield made


def _start(made: Installation, names: Sequence[str], backfill_workers: int) -> None:
    for name in names:
        process, said = made.stack.enter_context(
            made.folder.running(name, build_shell_command(PROCFILE[name]), **made.environment)
        )
        if name == "web":
            wait_until("web", lambda: is_answering(made.port), process, said)
    for number in range(backfill_workers):
        made.start_worker(number)
