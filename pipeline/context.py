"""What a process or a command must have open for a store's API to be asked in its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from redis import Redis
from sqlalchemy import Engine

from pipeline.settings import Settings


class Context(Protocol):
    """A process, or a command, with everything open."""

    @property
    def settings(self) -> Settings: ...
    @property
    def engine(self) -> Engine: ...
    @property
    def redis(self) -> Redis: ...
    @property
    def now(self) -> Callable[[], int]: ...
