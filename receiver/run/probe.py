"""Ends well as soon as web answers and a worker is up. A process of its own, so that `run` never waits."""

from __future__ import annotations

import http.client
import time

from kombu.exceptions import OperationalError

from pipeline.private_files import keep_new_files_private
from pipeline.settings import Settings, process_environment

PAUSE = 0.3
PATIENCE = 2.0


def web_is_ready(host: str, port: int) -> bool:
    """Whether web says that it can accept hooks. Who listens everywhere listens on loopback too."""
    everywhere = host == "0.0.0.0"  # noqa: S104  compared, not bound
    connection = http.client.HTTPConnection("127.0.0.1" if everywhere else host, port, timeout=PATIENCE)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def worker_is_up() -> bool:
    """Whether a worker of live hooks answers a ping."""
    from tasks.app import app  # noqa: PLC0415  the app reads the settings when it is imported

    try:
        replies = app.control.ping(timeout=PATIENCE)
    except (OSError, OperationalError):
        return False
    return any(name.startswith("worker@") for reply in replies for name in reply)


def main() -> None:
    """Wait for both; whoever started us ends us when that takes too long for their taste."""
    keep_new_files_private()
    settings = Settings.from_environment(process_environment())
    while not (web_is_ready(settings.host, settings.port) and worker_is_up()):
        time.sleep(PAUSE)


if __name__ == "__main__":
    main()
