"""Exits with 0 as soon as web and a worker answer. A process of its own, so that `run` never blocks."""

from __future__ import annotations

import time

from celery import Celery
from celery.utils.nodenames import gethostname
from kombu.exceptions import OperationalError

from pipeline.infra.private_files import set_private_umask
from pipeline.settings import Settings, read_environment
from receiver.alive import is_answering
from tasks.config import celery_config

POLL_INTERVAL_S = 0.3
PROBE_TIMEOUT_S = 2.0


def build_control_app(settings: Settings) -> Celery:
    """A Celery app that can ask workers, and knows no tasks: importing these would take longer than the question."""
    app = Celery("probe", set_as_current=False)
    app.conf.update(celery_config(settings))
    return app


def is_worker_up(app: Celery) -> bool:
    """Return whether this machine's worker for live hooks answers a ping. Its answer ends the wait."""
    worker = f"worker@{gethostname()}"
    try:
        replies = app.control.ping(destination=[worker], timeout=PROBE_TIMEOUT_S)
    except (OSError, OperationalError):
        return False
    return any(worker in reply for reply in replies)


def main() -> None:
    """Wait for both, without a timeout: the supervisor ends this process when it stops."""
    set_private_umask()
    settings = Settings.from_environment(read_environment())
    app = build_control_app(settings)
    while not (is_worker_up(app) and is_answering(settings.host, settings.port, "/readyz", PROBE_TIMEOUT_S)):
        time.sleep(POLL_INTERVAL_S)


if __name__ == "__main__":
    main()
