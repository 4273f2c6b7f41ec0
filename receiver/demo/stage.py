"""The demo's processes: a Cratewire of its own, and the two sandboxes, on free loopback ports."""

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

from pipeline.errors import CratewireError
from pipeline.settings import process_environment

_READY_SECONDS = 120
_STOP_SECONDS = 40
_POLL_SECONDS = 0.05
# The demo is self-contained: what configures another installation must not reach it.
_FOREIGN = ("REDIS_URL", "DATABASE_URL", "PORT", "CRATEWIRE_")


@dataclass(frozen=True, slots=True)
class Stage:
    """What is running, and where."""

    web: str
    flower: str
    data: Path
    command: Path  # `cratewire`, set up for this installation
    store: Mapping[str, str]  # url, client_id, client_secret
    customerio: Mapping[str, str]  # url, site_id, api_key, region


class Troupe:
    """Starts processes and stops them, last first. Their output goes to files beside the data."""

    def __init__(self, folder: Path, overrides: Mapping[str, str]) -> None:
        self.folder = folder
        self._children: list[subprocess.Popen[bytes]] = []
        own = {name: value for name, value in process_environment(None).items() if not name.startswith(_FOREIGN)}
        self.environment = own | {"CRATEWIRE_CONNECT_ANYWHERE": "true"} | dict(overrides)  # the sandboxes are here

    def start(self, name: str, *arguments: str) -> tuple[subprocess.Popen[bytes], Path]:
        """Start a Python module of ours; its output goes to `<name>.log`."""
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

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a module to its end."""
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.folder,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
        )

    def stop(self) -> None:
        """End everything that was started; by force what does not end."""
        for child in reversed(self._children):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
            try:
                child.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def set_stage(troupe: Troupe, seed: int) -> Stage:
    """Start everything and wait until it answers. Raises CratewireError with the end of the output that tells why."""
    port, flower = free_ports(2)
    data = troupe.folder / "data"
    troupe.environment = {
        **troupe.environment,
        "CRATEWIRE_DATA_DIR": str(data),
        "PORT": str(port),
        "CRATEWIRE_FLOWER_PORT": str(flower),
        "CRATEWIRE_CRATEJOY_RATE": "100",  # the sandbox store has no limit unless it is given one
        "CRATEWIRE_RECONCILE_GRACE_SECONDS": "0",  # every hook that was sent has come when the demo asks
    }
    # Its time runs faster than ours. It must begin after the connection, or all its life would be from before it.
    begins = datetime.fromtimestamp(time.time() + _READY_SECONDS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    store = troupe.start("store", "sandbox.store", "--seed", str(seed), "--start", begins)
    customerio = troupe.start("customerio", "sandbox.customerio")
    _await(*troupe.start("cratewire", "receiver.cli", "run"), lambda text: "Ready: " in text or None)
    return Stage(
        web=f"http://127.0.0.1:{port}",
        flower=f"http://127.0.0.1:{flower}",
        data=data,
        command=write_command(troupe),
        store=_await(*store, _first_line),
        customerio=_await(*customerio, _first_line),
    )


def write_command(troupe: Troupe) -> Path:
    """A `cratewire` for this installation: it takes no variable and no .env from where it is called."""
    path = troupe.folder / "cratewire"
    ours = {name: value for name, value in troupe.environment.items() if name.startswith(_FOREIGN)}
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(ours.items()))
    names = "|".join(re.escape(name) + (".*" if name.endswith("_") else "") for name in _FOREIGN)
    path.write_text(
        "#!/bin/sh\n"
        f"for name in $(env | sed -En 's/^({names})=.*/\\1/p'); do unset \"$name\"; done\n"
        f"{exports}cd {shlex.quote(str(troupe.folder))} || exit 1\n"
        f'exec {shlex.quote(sys.executable)} -m receiver.cli "$@"\n',
        encoding="utf-8",
    )
    path.chmod(0o700)
    return path


def free_ports(count: int) -> list[int]:
    """Loopback ports nobody listens on, all different."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _first_line(text: str) -> Any:
    """A sandbox says where it is in one line of JSON."""
    return json.loads(text.splitlines()[0]) if "\n" in text else None


def _await(child: subprocess.Popen[bytes], log: Path, found: Callable[[str], Any]) -> Any:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        text = log.read_text(encoding="utf-8", errors="replace")
        if (answer := found(text)) is not None:
            return answer
        if child.poll() is not None:
            break
        time.sleep(_POLL_SECONDS)
    end = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise CratewireError(f"{log.stem} did not start{os.linesep}{end}")
