"""Looks at what needs a person, and sends the mails, while no sweep does: a worker that does not run says nothing.

A thread of its own in each web process: a mail server may take long, and heartbeats must not wait for it.
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
    """Calls `look` every half minute until it is stopped."""

    def __init__(self, sweep: Callable[[], object], interval_s: float = SWEEP_INTERVAL_S) -> None:
        self._look = sweep
        self._every = interval_s
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._fails = False

    def start(self) -> None:
        """Begin, in the process that serves."""
        self._thread = threading.Thread(target=self._run, name="instead", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; a mail that is being sent is not waited for."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(self._every):
            try:
                self._look()
            except Exception as error:  # noqa: BLE001 whatever is away, the next look comes
                if not self._fails:
                    log.warning("web cannot look at what needs a person", error=type(error).__name__)
                self._fails = True
            else:
                self._fails = False


def run_fallback_sweep(context: Context) -> bool:
    """Look, tell and send, if no sweep has looked for minutes; whether that was so."""
    if not sweep_as_fallback(context):
        return False
    settings = context.settings
    post = open_mail_transport(settings.smtp_url, settings.mail_from, settings.data_dir)
    send_due_mails(context, post)
    send_due_notices(context)
    return True
