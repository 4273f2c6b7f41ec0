"""Finds what needs attention and sends the mails while no worker does: a worker that is down cannot report itself.

It has a thread of its own in each web process: a mail server may be slow, and heartbeats must not wait for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from pipeline.attention.sweep import sweep_as_fallback
from pipeline.context import Context
from pipeline.mail.outbox import send_due_mails
from pipeline.mail.transport import open_mail_transport
from pipeline.monitoring.alert_webhook import send_due_notices

log = structlog.get_logger(__name__)

SWEEP_INTERVAL_S = 30.0


class FallbackSweepThread:
    """Calls `sweep` every half minute until it is stopped."""

    def __init__(self, sweep: Callable[[], object], interval_s: float = SWEEP_INTERVAL_S) -> None:
        self._sweep = sweep
        self._interval_s = interval_s
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_failing = False

    def start(self) -> None:
        """Start the thread; call it in the worker process."""
        self._thread = threading.Thread(target=self._run, name="fallback-sweep", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, without waiting for a mail that is being sent."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval_s):
            try:
                self._sweep()
            except Exception as error:  # noqa: BLE001 the thread survives any failure
                if not self._is_failing:
                    log.warning("fallback sweep failed", error=type(error).__name__)
                self._is_failing = True
            else:
                self._is_failing = False


def run_fallback_sweep(context: Context) -> bool:
    """Sweep and send mails and notices if no worker has swept for minutes. Returns whether it did."""
    if not sweep_as_fallback(context):
        return False
    settings = context.settings
    post = open_mail_transport(settings.smtp_url, settings.mail_from, settings.data_dir)
    send_due_mails(context, post)
    send_due_notices(context)
    return True
