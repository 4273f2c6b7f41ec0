"""Exits with 0 as soon as web and a worker answer. A process of its own, so that `run` never blocks."""

from __future__ import annotations

import time

from kombu.exceptions import OperationalError

from pipeline.infra.private_files import set_private_umask
from pipeline.settings import Settings, read_environment
from receiver.alive import is_answering

POLL_INTERVAL_S = 0.3
PROBE_TIMEOUT_S = 2.0


def is_worker_up() -> bool:
    """Return whether a worker for live hooks answers a ping."""
    from tasks.app import app  # noqa: PLC0415  the app reads the settings when it is imported

    try:
        replies = app.control.ping(timeout=PROBE_TIMEOUT_S)
    except (OSError, OperationalError):
        return False
    return any(name.startswith("worker@") for reply in replies for name in reply)


def main() -> None:
    """Wait for both, without a timeout: the supervisor ends this process when it stops."""
    set_private_umask()
    settings = Settings.from_environment(read_environment())
    while not (is_answering(settings.host, settings.port, "/readyz", PROBE_TIMEOUT_S) and is_worker_up()):
        time.sleep(POLL_INTERVAL_S)


if __name__ == "__main__":
    main()
