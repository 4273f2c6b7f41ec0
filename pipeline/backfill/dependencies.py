"""What a backfill needs from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

from redis import Redis
from sqlalchemy import Engine

from pipeline.cratejoy.parsing import Page


class PageReader(Protocol):
    """The part of a store's API that is read."""

    def page(
        self,
        resource: str,
        filters: Mapping[str, str] | None = None,
        next_: str | None = None,
        limit: int = 100,
        *,
        with_: Any = (),
    ) -> Page: ...


@dataclass(frozen=True, slots=True)
class BackfillContext:
    """From outside. `open_api`: the API of a store, by its id. `rng` also makes lease tokens."""

    engine: Engine
    redis: Redis
    open_api: Callable[[int], PageReader]
    now: Callable[[], int]  # µs
    rng: Random = field(repr=False)
