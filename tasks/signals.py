"""What Celery's processes do when they begin: log as all of ours do."""

from __future__ import annotations

import sys
from typing import Any

from celery.signals import setup_logging

from pipeline import logs
from pipeline.settings import Settings, process_environment


@setup_logging.connect  # type: ignore[untyped-decorator]  # Celery ships no types
def configure_logs(**_: Any) -> None:
    """Instead of Celery's own set-up: with a receiver here it does nothing. A pool's children inherit it."""
    settings = Settings.from_environment(process_environment())
    logs.configure(settings.log_level, settings.log_format, sys.stderr)
    logs.catch_the_uncaught()
