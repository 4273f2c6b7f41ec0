"""Starts flower with its password, which is passed in the environment so that `ps` does not show it.

`cratewire run` listens on flower's address itself, and starts it at the first connection, which waits meanwhile.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping

from pipeline.core.errors import Misconfigured
from pipeline.infra.embedded_valkey import require_active_run
from pipeline.infra.environment import replace_environment
from pipeline.infra.private_files import set_private_umask
from pipeline.settings import Settings, read_environment

FLOWER_USER = "cratewire"
_COMMAND = ("celery", "-A", "tasks.app", "flower")


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
    """Replace this process with flower. An argument is the number of a file that listens on its address already."""
    set_private_umask()
    environ = read_environment()
    try:
        settings = Settings.from_environment(environ)
        if settings.embedded_broker:
            require_active_run(settings.data_dir)
    except Misconfigured as error:
        raise SystemExit(f"Error: {error}") from error
    ours = build_flower_environment(settings, environ)
    if sys.argv[1:]:
        replace_environment(ours)
        _serve(socket.socket(fileno=int(sys.argv[1])))
    command = [sys.executable, "-m", *_COMMAND]
    os.execve(sys.executable, command, ours)  # noqa: S606  no shell is wanted


def _serve(listener: socket.socket) -> None:
    """Run flower in this process, on a socket that listens."""
    import flower.app  # noqa: PLC0415  only this process needs it
    from celery.__main__ import main as run_celery  # noqa: PLC0415

    listener.settimeout(0.0)  # tornado waits for it by itself
    flower.app.bind_sockets = lambda *_, **__: [listener]
    sys.argv = list(_COMMAND)
    run_celery()


if __name__ == "__main__":
    main()
