"""The processes of an installation and their commands; the Procfile has the same lines."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from pipeline.settings import Settings
from receiver.supervisor.forked import FIRST_FREE_FD

_WORKER = "celery -q -A tasks.app worker -P prefork -E --without-gossip --without-mingle -l WARNING"

# Celery logs only warnings and no banner: two sweeps a second would bury everything else.
# Backfill has its own queue and worker, so that it cannot delay live hooks. Flower needs the workers' events (-E).
PROCFILE = {
    "web": "python -m receiver.serve --host ${CRATEWIRE_HOST:-127.0.0.1} --port ${PORT:-8080}",
    "worker": f"{_WORKER} -n worker@%h -Q hooks,deliveries --concurrency ${{CRATEWIRE_WORKERS:-4}}",
    "backfill": f"{_WORKER} -n backfill@%h -Q backfill,fulfilment --concurrency 1",
    "beat": "celery -q -A tasks.app beat -S tasks.beat:PatientScheduler -l WARNING",
    "flower": "python -m receiver.flower",
}

_FORK = "python -m tasks.worker.start"

# The same processes as forks of `cratewire run`: a fork needs no command line of Celery's, and beat no process.
# Backfill starts when messages wait in its queues, at which the worker looks, and ends when none came for a minute.
_BACKFILL_QUEUES = "backfill,fulfilment"
FORKED = {
    "web": f"{PROCFILE['web']} --one-process",
    "worker": f"{_FORK} --name worker --queues hooks,deliveries --with-beat --processes ${{CRATEWIRE_WORKERS:-4}}"
    f" --wake {_BACKFILL_QUEUES} {FIRST_FREE_FD}",
    "backfill": f"{_FORK} --name backfill --queues {_BACKFILL_QUEUES} --processes 1 --until-idle-seconds 60",
    "flower": PROCFILE["flower"],
}

_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


def build_shell_command(line: str) -> list[str]:
    """Return a Procfile line as a command; the shell expands the variables, then execs the process."""
    return ["/bin/sh", "-c", f"exec {line}"]


def expand_line(line: str, environment: Mapping[str, str]) -> list[str]:
    """Return the words of a Procfile line with its variables filled in, as the shell does it."""
    filled = _VARIABLE.sub(lambda found: environment.get(found[1]) or found[2], line)
    return shlex.split(filled)


def build_child_environment(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return our environment with the settings of the command line and this interpreter's programs first on PATH."""
    programs = str(Path(sys.executable).parent)
    return {
        **environ,
        "PATH": os.pathsep.join(filter(None, [programs, environ.get("PATH", "")])),
        "PORT": str(settings.port),
        "CRATEWIRE_DATA_DIR": str(settings.data_dir),
        "PYTHONUNBUFFERED": "1",
    }
