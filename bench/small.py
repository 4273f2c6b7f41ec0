"""Hooks on a machine with too little memory: `cratewire run` in its own control group (version 1; needs root).

    .venv/bin/python -m bench.small --limit-mb 512 --hooks 2000 --rate 60

Everything of ours is inside the group, `connect` as well; the sandbox Customer.io and the sender are outside.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from bench.chaos.hooks import make_hook
from bench.chaos.platform import Platform
from bench.processes import Folder, installation_folder, wait_until

GROUPS = Path("/sys/fs/cgroup/memory")
MEGABYTE = 1_000_000
PEOPLE = 20
PATIENCE_S = 180.0


def is_possible() -> bool:
    """Whether this process may make control groups of version 1."""
    return os.access(GROUPS, os.W_OK)


@contextmanager
def group_of(limit_mb: int) -> Iterator[Path]:
    """A control group with that much memory and no swap; gone afterwards."""
    group = GROUPS / f"cratewire-{limit_mb}"
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(limit_mb * MEGABYTE))
        yield group
    finally:
        group.rmdir()


def inside(group: Path | None, *arguments: str) -> list[str]:
    """A command, started inside the group if there is one."""
    if group is None:
        return [sys.executable, "-m", "receiver.cli", *arguments]
    line = f'echo $$ > {group}/cgroup.procs && exec "$@"'
    return ["/bin/sh", "-c", line, "sh", sys.executable, "-m", "receiver.cli", *arguments]


def number_of(file: Path, name: str = "") -> int:
    """The number in a file of the group, or in its line of that name."""
    words = [line.split() for line in file.read_text().splitlines()]
    return next(int(word[-1]) for word in words if not name or word[0] == name)


def connect(folder: Folder, platform: Platform, group: Path | None = None) -> str:
    """The path of the hook URL of orders."""
    keys = ("--site-id", platform.site_id, "--api-key", platform.api_key, "--base-url", platform.url)
    command = inside(
        group, "connect", "--store", "small", "--platform", "customerio", "--region", "us", *keys, "--json"
    )
    done = subprocess.run(command, env=folder.environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise click.ClickException(f"connect ended with {done.returncode}: {done.stderr[-500:]}")
    hooks: dict[str, str] = json.loads(done.stdout)["hooks"]
    return urlsplit(hooks["order_new"]).path


def send(port: int, path: str, count: int, rate: float) -> int:
    """Send hooks in sequence, `rate` a second; return how many were acknowledged."""
    connection, accepted, began = http.client.HTTPConnection("127.0.0.1", port, timeout=60), 0, time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        connection.request("POST", path, make_hook(number, number % PEOPLE).body)
        answer = connection.getresponse()
        answer.read()
        accepted += answer.status == http.client.OK
    connection.close()
    return accepted


def count_repeats(platform: Platform) -> int:
    """The number of events that a person has got more than once."""
    arrived = [(event.address, event.subject) for event in platform.arrived()]
    return len(arrived) - len(set(arrived))


def expected(count: int) -> int:
    """The number of events of all these hooks: a gift has two recipients."""
    return sum(len(make_hook(number, number % PEOPLE).addresses) for number in range(count))


def waited(holds: Callable[[], bool]) -> float:
    """Wait until the condition is true or the timeout has passed; return the seconds."""
    began = time.monotonic()
    while not holds() and time.monotonic() < began + PATIENCE_S:
        time.sleep(0.2)
    return time.monotonic() - began


def play(folder: Folder, group: Path, count: int, rate: float) -> dict[str, Any]:
    """Run it, send the hooks, and count what arrives."""
    port = int(folder.environment["PORT"])
    sandbox = [sys.executable, "-m", "sandbox.customerio"]
    with folder.running("customerio", sandbox) as (there, said), folder.running("run", inside(group, "run")) as ours:
        platform = Platform(**json.loads(wait_until("the sandbox", lambda: "\n" in said() and said(), there, said)))
        wait_until("cratewire run", lambda: "Ready: " in ours[1](), *ours)
        accepted = send(port, connect(folder, platform, group), count, rate)
        seconds = waited(lambda: platform.count() >= expected(count))
        plan = [line for line in ours[1]().splitlines() if "MB of memory" in line]
        return {
            "hooks": count,
            "accepted": accepted,
            "events": expected(count),
            "arrived": platform.count(),
            "twice": count_repeats(platform),
            "seconds": round(seconds, 1),
            "peak_mb": number_of(group / "memory.max_usage_in_bytes") // MEGABYTE,
            "killed": number_of(group / "memory.oom_control", "oom_kill"),
            "reclaims": number_of(group / "memory.failcnt"),
            "says": plan,
        }


def measure(limit_mb: int, count: int, rate: float) -> dict[str, Any]:
    """Count what arrives of so many hooks with so little memory, in a folder of its own."""
    with installation_folder(CRATEWIRE_CRATEJOY_RATE="100") as folder, group_of(limit_mb) as group:
        return play(folder, group, count, rate)


@click.command()
@click.option("--limit-mb", default=700, show_default=True, help="Memory of the group.")
@click.option("--hooks", "count", default=214, show_default=True, help="How many are sent.")
@click.option("--rate", default=1000.0, show_default=True, help="How many a second, at most.")
def main(limit_mb: int, count: int, rate: float) -> None:
    """Count what arrives of hooks with so little memory."""
    found = measure(limit_mb, count, rate)
    click.echo(json.dumps(found, indent=2))
    sys.exit(0 if found["accepted"] == count and found["arrived"] == found["events"] and not found["twice"] else 1)


if __name__ == "__main__":
    main()
