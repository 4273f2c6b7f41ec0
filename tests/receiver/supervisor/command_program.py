"""A process that runs commands in forks of itself, as `cratewire run` does, and a caller of it, for the tests.

python -m tests.receiver.supervisor.command_program serve FOLDER
python -m tests.receiver.supervisor.command_program call FOLDER [what the fork is to do]
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pipeline.infra.environment import read_environment
from receiver.cli.handover import run_in_fork
from receiver.supervisor.command_forks import CommandForks

NOT_HANDED_OVER = 99


def act(arguments: Sequence[str], program: str) -> None:
    """What a fork does here: `show` prints what it has, `exit N` ends, `fail` raises, `stay` waits for a signal."""
    what, *more = [word for word in arguments if not word.startswith("--data")]
    if what == "show":
        found = {
            "parent": os.getppid(),
            "program": program,
            "argv": sys.argv,
            "folder": str(Path.cwd()),
            "environment": read_environment(None),
            "input": sys.stdin.read(),
            "files": sorted(int(entry.name) for entry in Path("/proc/self/fd").iterdir() if entry.exists()),
        }
        sys.stdout.write(json.dumps(found))
        sys.stderr.write("and an error")
    elif what == "exit":
        raise SystemExit(int(more[0]))
    elif what == "fail":
        raise ValueError("in a fork")
    while what == "stay":
        sys.stdout.write(f"{os.getpid()}\n")
        sys.stdout.flush()
        time.sleep(60)


def serve(folder: Path) -> None:
    """Serve until a signal ends this process, and print what the reaper would get."""
    forks = CommandForks(folder, act, lambda line: print(line, flush=True))  # noqa: T201
    print("ready", flush=True)  # noqa: T201
    while True:
        if select.select([forks.listener], [], [], 0.05)[0]:
            forks.handle_connection()
        forks.reap()


if __name__ == "__main__":
    mode, place, *words = sys.argv[1:]
    if mode == "serve":
        serve(Path(place))
    code = run_in_fork([*words, f"--data={place}"], "cratewire")
    sys.exit(NOT_HANDED_OVER if code is None else code)
