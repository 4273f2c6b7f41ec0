"""Starts flower with its password, which is passed in the environment so that `ps` does not show it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from pipeline.core.errors import Misconfigured
from pipeline.infra.embedded_valkey import require_active_run
from pipeline.infra.private_files import set_private_umask
from pipeline.settings import Settings, read_environment

FLOWER_USER = "cratewire"


def build_flower_environment(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with flower's options."""
    return {
        **environ,
        "FLOWER_ADDRESS": settings.flower_host,
        "FLOWER_PORT": str(settings.flower_port),
        "FLOWER_LOGGING": "warning",  # otherwise it lists Celery's own tasks at every start
        "FLOWER_BASIC_AUTH": f"{FLOWER_USER}:{settings.flower_password}",
    }


def main() -> None:
    """Replace this process with flower."""
    set_private_umask()
    environ = read_environment()
    try:
        settings = Settings.from_environment(environ)
        if settings.embedded_broker:
            require_active_run(settings.data_dir)
    except Misconfigured as error:
        raise SystemExit(f"Error: {error}") from error
    command = [sys.executable, "-m", "celery", "-A", "tasks.app", "flower"]
    os.execve(sys.executable, command, build_flower_environment(settings, environ))  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    main()
