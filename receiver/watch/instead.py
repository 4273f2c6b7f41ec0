"""Looks at what needs a person, and sends the mails, while no sweep does: a worker that does not run says nothing.

A thread of its own in each web process: a mail server may take long, and heartbeats must not wait for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog
from redis import Redis
from sqlalchemy import Engine

from pipeline import http
from pipeline.attention.item import Sources
from pipeline.attention.sweeping import sweep_instead
from pipeline.mail import open_post
from pipeline.mailing import Mailing, send_waiting
from pipeline.settings import Settings
from pipeline.silence.webhook import Bell, tell_waiting
from tasks.silence import audience_of

log = structlog.get_logger(__name__)

EVERY_S = 30.0


class Instead:
    """Calls `look` every half minute until it is stopped."""

    def __init__(self, look: Callable[[], object], every: float = EVERY_S) -> None:
        self._look = look
        self._every = every
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


def look_instead(settings: Settings, engine: Engine, redis: Redis, now: Callable[[], int]) -> bool:
    """Look, tell and send, if no sweep has looked for minutes; whether that was so."""
    if not sweep_instead(Sources(engine, redis, settings, now()), audience_of(settings)):
        return False
    post = open_post(settings.smtp_url, settings.mail_from, settings.data_dir)
    send_waiting(Mailing(engine, settings.secret_keys, post, now))
    if settings.alarm_url:
        tell_waiting(Bell(engine, settings.alarm_url, settings.secret_keys, http.shared, now))
    return True
