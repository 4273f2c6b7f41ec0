"""`cratewire run` at rest, with one store: its start, then memory (PSS, USS) and CPU of each process.

    .venv/bin/python -m bench.rest --seconds 60

The start is measured on an installation that has been started before, as after a reboot: until a hook is acknowledged,
and until the sandbox Customer.io, which is already up, has that hook's event.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path

import click

from bench.chaos.hooks import make_hook
from bench.chaos.platform import Platform
from bench.machine import command_of, cpu_seconds, descendants
from bench.processes import Folder, installation_folder, wait_until
from bench.small import connect

KIB_PER_MB = 1_000_000 / 1024
SETTLE_S = 95.0  # after the start: a process that nothing needs ends after a minute
POLL_S = 0.02
COMMAND_RUNS = 7


@dataclass(frozen=True, slots=True)
class Process:
    """One process at rest; memory in megabytes, CPU in percent of a core."""

    name: str
    pss: float
    uss: float
    threads: int
    cpu: float


@dataclass(frozen=True, slots=True)
class Rest:
    """What was measured. Seconds count from the start of `cratewire run`."""

    first_acknowledgement: float
    first_event: float
    ready: float
    command: float  # seconds of `cratewire status`, the median
    pss: float
    cpu: float
    processes: tuple[Process, ...]


def measure(folder: Folder, seconds: float) -> Rest:
    """Start it twice: once to connect a store, once to measure."""
    with folder.running("customerio", [sys.executable, "-m", "sandbox.customerio"]) as (there, said):
        platform = Platform(**json.loads(wait_until("the sandbox", lambda: "\n" in said() and said(), there, said)))
        run = [sys.executable, "-m", "receiver.cli", "run"]
        with folder.running("run", run) as (process, printed):
            wait_until("cratewire run", lambda: "Ready: " in printed(), process, printed)
            path = connect(folder, platform)
        began = time.monotonic()
        with folder.running("run", run) as (process, printed):
            _post_until_accepted(int(folder.environment["PORT"]), path)
            acknowledged = time.monotonic() - began
            wait_until("the first event", platform.count, process, printed)
            arrived = time.monotonic() - began
            wait_until("cratewire run", lambda: "Ready: " in printed(), process, printed)
            ready = time.monotonic() - began
            time.sleep(SETTLE_S)
            processes = watch(process.pid, seconds)
            command = statistics.median(_time_command(folder) for _ in range(COMMAND_RUNS))
    pss, cpu = sum(one.pss for one in processes), sum(one.cpu for one in processes)
    return Rest(acknowledged, arrived, ready, command, pss, cpu, processes)


def measure_rest(seconds: float) -> Rest:
    """Measure the start, and the rest for so long, in a folder of its own."""
    with installation_folder() as folder:
        return measure(folder, seconds)


def watch(root: int, seconds: float) -> tuple[Process, ...]:
    """Watch a process and its descendants for so long."""
    pids = descendants([root])
    before = {pid: _own_cpu_s(pid) for pid in pids}
    total = cpu_seconds([root])
    time.sleep(seconds)
    found = [_describe(pid, (_own_cpu_s(pid) - before[pid]) / seconds * 100) for pid in pids if _is_alive(pid)]
    gone = (cpu_seconds([root]) - total) / seconds * 100 - sum(one.cpu for one in found)
    return (*found, Process("processes that ended", 0, 0, 0, max(0.0, gone)))


def _time_command(folder: Folder) -> float:
    """Seconds from the start of a command that shows something to its end."""
    began = time.monotonic()
    command = [str(Path(sys.executable).with_name("cratewire")), "status"]
    subprocess.run(command, env=folder.environment, capture_output=True, check=True)
    return time.monotonic() - began


def _describe(pid: int, cpu: float) -> Process:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    sizes = {name: int(size) for name, size, *_ in (line.split() for line in rollup[1:])}
    uss = sizes["Private_Clean:"] + sizes["Private_Dirty:"]
    threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    return Process(command_of(pid), sizes["Pss:"] / KIB_PER_MB, uss / KIB_PER_MB, threads, cpu)


def _own_cpu_s(pid: int) -> float:
    """CPU of a process without its children's."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _is_alive(pid: int) -> bool:
    return bool(command_of(pid))


def _post_until_accepted(port: int, path: str) -> None:
    body = make_hook(0, 0).body
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("POST", path, body)
            if connection.getresponse().status == 200:  # noqa: PLR2004
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(POLL_S)


def _print(found: Rest) -> None:
    click.echo(
        f"first acknowledgement {found.first_acknowledgement:.1f} s, first event {found.first_event:.1f} s, "
        f"ready {found.ready:.1f} s; at rest {found.pss:.0f} MB, {found.cpu:.1f} % of a core; "
        f"`cratewire status` {found.command:.2f} s\n"
    )
    click.echo("| process | PSS MB | USS MB | threads | CPU % |\n| --- | --- | --- | --- | --- |")
    for one in sorted(found.processes, key=lambda row: -row.pss):
        click.echo(f"| {one.name[-90:]} | {one.pss:.0f} | {one.uss:.0f} | {one.threads} | {one.cpu:.2f} |")


@click.command()
@click.option("--seconds", default=60.0, show_default=True, help="How long it is watched at rest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def main(seconds: float, *, as_json: bool) -> None:
    """Measure the start, and memory and CPU at rest."""
    found = measure_rest(seconds)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=1))
    else:
        _print(found)


if __name__ == "__main__":
    main()
