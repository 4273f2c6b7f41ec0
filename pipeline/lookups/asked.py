"""What a store's API says now about the object of one event, asked for by a reader of its page.

Web only leaves the question in Redis; a worker asks, within the store's budget. The answer stays there for ten minutes
and goes nowhere else: nothing of it is recorded.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

from redis import Redis
from sqlalchemy import Connection, select

from pipeline.context import Context
from pipeline.core.errors import CratewireError, NotFound, RateLimited
from pipeline.cratejoy.factory import open_store_client
from pipeline.infra import redis_keys
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema.core import Event, Store
from pipeline.recording.api_page import build_api_candidate
from pipeline.recording.load_stores import load_stores_by_name
from pipeline.recording.suppression import remove_suppressed_people

KEPT_S = 600
RESOURCES = {"customer": "customers", "order": "orders", "subscription": "subscriptions", "shipment": "shipments"}
State = Literal["waiting", "found", "missing", "failed"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and its answer. Times are µs; `reason`: why it failed."""

    state: State
    asked_at: int
    answered_at: int | None = None
    answer: dict[str, Any] | None = field(default=None, repr=False)
    reason: str | None = None


class ObjectAPI(Protocol):
    """The part of a store's API that is asked."""

    def get(self, resource: str, id: int) -> dict[str, Any]: ...  # noqa: A002 - the client's name


def request_answer(redis: Redis, event_id: int, now: int) -> None:
    """Leave the question. One that waits already is not asked twice."""
    found = load_answer(redis, event_id)
    if found is None or found.state != "waiting":
        _store(redis, event_id, Asked("waiting", now))
    redis.sadd(redis_keys.ASKED_EVENTS, event_id)


def load_answer(redis: Redis, event_id: int) -> Asked | None:
    """The question about an event and its answer; None if it was not asked, or ten minutes ago."""
    stored: Any = redis.get(redis_keys.asked_event(event_id))
    return None if stored is None else Asked(**json.loads(stored))


def take_requests(redis: Redis) -> list[int]:
    """The events about which is asked; each is returned once."""
    taken: Any = redis.spop(redis_keys.ASKED_EVENTS, 100)
    return sorted(int(event_id) for event_id in taken or ())


def answer_request(context: Context, event_id: int, api: ObjectAPI | None = None) -> float | None:
    """Ask and keep the answer. Returns after how many seconds to come back, if the budget does not allow it yet."""
    asked = load_answer(context.redis, event_id)
    with reading(context.engine) as conn:
        event = find_asked_object(conn, event_id)
    if asked is None or asked.state != "waiting" or event is None:
        return None
    store_id, kind, number = event
    try:
        client = api or open_store_client(context, store_id, urgent=True)
        found = client.get(RESOURCES[kind], number)
        done = Asked("found", asked.asked_at, context.now(), _without_suppressed(context, store_id, kind, found))
    except RateLimited as wait:
        return wait.seconds
    except NotFound:
        done = Asked("missing", asked.asked_at, context.now())
    except CratewireError as error:
        done = Asked("failed", asked.asked_at, context.now(), reason=str(error))
    _store(context.redis, event_id, done)
    return None


def find_asked_object(conn: Connection, event_id: int) -> tuple[int, str, int] | None:
    """(store id, kind, number) of what the API can be asked about an event; None if there is no such thing."""
    columns = Event.store_id, Event.subject, Event.subject_id, Event.data
    row = conn.execute(select(*columns).where(Event.id == event_id)).one_or_none()
    if row is None or row.subject not in RESOURCES or row.subject_id is None or not row.data:
        return None
    return row.store_id, row.subject, row.subject_id


def _without_suppressed(context: Context, store_id: int, kind: str, found: dict[str, Any]) -> dict[str, Any]:
    """The object without people who were erased and are suppressed: they are shown nowhere."""
    with writing(context.engine) as conn:
        name = conn.execute(select(Store.name).where(Store.id == store_id)).scalar_one()
        store = load_stores_by_name(conn, [name])[name]
        candidate = build_api_candidate(store, RESOURCES[kind], found, context.now())
        remove_suppressed_people(conn, context.settings.secret_keys, [store], [candidate])
    return candidate.data


def _store(redis: Redis, event_id: int, asked: Asked) -> None:
    redis.set(redis_keys.asked_event(event_id), json.dumps(asdict(asked), default=str), ex=KEPT_S)
