"""A store with keys, whose API is a dictionary, and its look-ups on a clock of their own."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import fakeredis
import pytest

from pipeline.core.errors import NotFound
from pipeline.cratejoy.pagination import Page
from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from pipeline.ledger.schema.lookups import Lookup
from pipeline.ledger.store_apis import save_store_api
from pipeline.lookups.run import LookupRun, run_lookups
from tests.builders import HOUR, NOW
from tests.contexts import make_context
from tests.pipeline.recording.conftest import HookRecorder

ASKED = NOW + 1_000 * HOUR


@dataclass
class FakeAPI:
    """A store's API. `objects`: (resource, id) -> the object as loaded; `surveys`: all of the store's."""

    objects: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    surveys: list[dict[str, Any]] = field(default_factory=list)
    filters: bool = True  # whether it heeds a filter
    failures: list[Exception] = field(default_factory=list)  # of the next requests
    asked: list[str] = field(default_factory=list)

    def get(self, resource, id, *_with):  # noqa: A002 the client's name
        self._request(f"{resource}/{id}")
        if (resource, id) not in self.objects:
            raise NotFound(f"GET {resource}/{id}: answered 404", 404)
        return self.objects[resource, id]

    def page(self, resource, filters):
        self._request(resource)
        wanted = filters["subscription_id"] if self.filters else "any"
        found = [survey for survey in self.surveys if wanted in ("any", str(survey["subscription_id"]))]
        return Page(found, [], None, len(found))

    def _request(self, what):
        self.asked.append(what)
        if self.failures:
            raise self.failures.pop(0)


@dataclass
class LookupSetup:
    """A recorder of hooks, the store's API, and the look-ups."""

    recorder: HookRecorder
    api: FakeAPI = field(default_factory=FakeAPI)
    redis: Any = field(default_factory=fakeredis.FakeRedis)
    now: int = ASKED

    def record(self, event, data, **how):
        return self.recorder.record_one(event, data, **how)

    def run(self) -> LookupRun:
        context = make_context(self.recorder.engine, self.redis, lambda: self.now)
        return run_lookups(context, 1, open_api=lambda _context, _row: self.api)

    def states(self) -> dict[str, str]:
        """Kind and subject -> state."""
        return {f"{row.kind} {row.subject_id}": row.state for row in self.recorder.rows(Lookup)}

    def attributes(self, email):
        return next(row.attributes for row in self.recorder.rows(core.Person) if row.email == email)

    def notes(self) -> Counter[str]:
        return Counter(note["code"] for row in self.recorder.rows(core.Event) for note in row.notes)


@pytest.fixture
def lookups(engine) -> LookupSetup:
    recorder = HookRecorder(engine)
    with writing(engine) as conn:
        save_store_api(conn, 1, b"sealed", NOW)
    return LookupSetup(recorder)
