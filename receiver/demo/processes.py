"""The demo's processes: its own Cratewire and the three sandboxes, on free loopback ports."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.core.errors import CratewireError
from pipeline.settings import read_environment
from receiver.demo.platforms import PLATFORMS, DemoPlatform

_READY_TIMEOUT_S = 120
_STOP_TIMEOUT_S = 40
_POLL_INTERVAL_S = 0.05
_STORE_BEHIND_S = 3_600  # the store begins so long ago: what is sold before the connection is no news
STORE_AHEAD_S = 120  # simulated time runs faster than real time, and then begins after the connection
# The demo is self-contained: variables of another installation must not affect it.
TRYING_OUT = {
    "CRATEWIRE_CONNECT_ANYWHERE": "true",  # the sandboxes are local
    "CRATEWIRE_DEMO_STORE": "demo",
}
_OWN_VARIABLES = ("REDIS_URL", "DATABASE_URL", "PORT", "CRATEWIRE_")


@dataclass(frozen=True, slots=True)
class DemoInstallation:
    """The URLs and paths of the running demo."""

    web: str
    flower: str
    data: Path
    command: Path  # `cratewire`, set up for this installation
    store: Mapping[str, str]  # url, client_id, client_secret
    platform: DemoPlatform
    platform_keys: Mapping[str, str]  # url, and the platform's keys
    warehouse: Mapping[str, str]  # url, webhook_secret, and the keys of its other protocols


class DemoProcesses:
    """Starts processes and stops them in reverse order. Their output goes to files beside the data."""

    def __init__(self, folder: Path, overrides: Mapping[str, str]) -> None:
        self.folder = folder
        self._children: list[subprocess.Popen[bytes]] = []
        own = {name: value for name, value in read_environment(None).items() if not name.startswith(_OWN_VARIABLES)}
        self.environment = own | TRYING_OUT | dict(overrides)

    def start(self, name: str, *arguments: str) -> tuple[subprocess.Popen[bytes], Path]:
        """Start one of our Python modules; its output goes to `<name>.log`."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            child = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=self.folder,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._children.append(child)
        return child, log

    def run_module(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a module and wait for its end."""
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.folder,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
        )

    def stop(self) -> None:
        """Stop all processes; kill those that do not end in time."""
        for child in reversed(self._children):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
            try:
                child.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def start_demo(
    processes: DemoProcesses, seed: int, platform: DemoPlatform = PLATFORMS["customerio"]
) -> DemoInstallation:
    """Start everything and wait until it answers. Raises CratewireError with the end of the failed process's output."""
    port, flower = find_free_ports(2)
    data = processes.folder / "data"
    processes.environment = {
        **processes.environment,
        "CRATEWIRE_DATA_DIR": str(data),
        "PORT": str(port),
        "CRATEWIRE_FLOWER_PORT": str(flower),
        "CRATEWIRE_CRATEJOY_RATE": "100",  # the sandbox store has no rate limit by default
        "CRATEWIRE_RECONCILE_GRACE_SECONDS": "0",  # every hook that was sent has arrived when the demo reconciles
        "CRATEWIRE_FULFILMENT_PULL_SECONDS": "5",
        "CRATEWIRE_FULFILMENT_TRACKING_SECONDS": "5",  # the warehouse says by itself what it has shipped
    }
    begins = datetime.fromtimestamp(time.time() - _STORE_BEHIND_S, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    store = processes.start("store", "sandbox.store", "--seed", str(seed), "--start", begins)
    destination = processes.start(platform.name, platform.module)
    warehouse = processes.start("warehouse", "sandbox.warehouse")
    _wait_for_output(*processes.start("cratewire", "receiver.cli", "run"), lambda text: "Ready: " in text or None)
    return DemoInstallation(
        web=f"http://127.0.0.1:{port}",
        flower=f"http://127.0.0.1:{flower}",
        data=data,
        command=write_cratewire_script(processes),
        store=_wait_for_output(*store, _parse_first_line),
        platform=platform,
        platform_keys=_wait_for_output(*destination, _parse_first_line),
        warehouse=_wait_for_output(*warehouse, _parse_first_line),
    )


def write_cratewire_script(processes: DemoProcesses) -> Path:
    """Write a `cratewire` script for this installation. It ignores variables and .env of the caller."""
    path = processes.folder / "cratewire"
    ours = {name: value for name, value in processes.environment.items() if name.startswith(_OWN_VARIABLES)}
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(ours.items()))
    names = "|".join(re.escape(name) + (".*" if name.endswith("_") else "") for name in _OWN_VARIABLES)
    path.write_text(
        "#!/bin/sh\n"
        f"for name in $(env | sed -En 's/^({names})=.*/\\1/p'); do unset \"$name\"; done\n"
        f"{exports}cd {shlex.quote(str(processes.folder))} || exit 1\n"
        f'exec {shlex.quote(sys.executable)} -m receiver.cli "$@"\n',
        encoding="utf-8",
    )
    path.chmod(0o700)
    return path


def find_free_ports(count: int) -> list[int]:
    """Return free loopback ports, all different."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _parse_first_line(text: str) -> Any:
    """Parse the line of JSON in which a sandbox prints its URL; None if it is incomplete."""
    return json.loads(text.splitlines()[0]) if "\n" in text else None


def _wait_for_output(child: subprocess.Popen[bytes], log: Path, found: Callable[[str], Any]) -> Any:
    deadline = time.monotonic() + _READY_TIMEOUT_S
    while time.monotonic() < deadline:
        text = log.read_text(encoding="utf-8", errors="replace")
        if (answer := found(text)) is not None:
            return answer
        if child.poll() is not None:
            break
        time.sleep(_POLL_INTERVAL_S)
    end = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise CratewireError(f"{log.stem} did not start{os.linesep}{end}")
