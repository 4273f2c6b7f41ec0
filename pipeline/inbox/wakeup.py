"""Wakes the chain from a thread of its own, so that a slow broker never delays an acknowledgement."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class WakeupThread:
    """Calls `kick` once for however many requests came meanwhile."""

    def __init__(self, kick: Callable[[], None]) -> None:
        self._wake_up = kick
        self._wanted = threading.Event()
        threading.Thread(target=self._run, name="kicker", daemon=True).start()

    def request(self) -> None:
        """Wake the chain soon."""
        self._wanted.set()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            self._wake_once()

    def _wake_once(self) -> None:
        try:
            self._wake_up()
        except Exception as error:  # noqa: BLE001 whatever the broker's client raises, the thread lives on
            # A kick is a hint: the flag expires and the sweep looks anyway.
            log.warning("the chain could not be kicked", extra={"reason": type(error).__name__})
