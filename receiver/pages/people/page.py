"""The blueprint of the pages about people, and what its views share."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort
from sqlalchemy import Connection

from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.engine import reading
from pipeline.ledger.queries import Activity, choose_name
from pipeline.ledger.queries.people_list import load_people
from pipeline.ledger.stores import StoreRow, get_store
from pipeline.people.answers import Answer, load_answers
from pipeline.people.timeline import PersonPage, load_person_page
from receiver.pages.db_session import get_context

blueprint = Blueprint("people", __name__)


@blueprint.app_context_processor
def add_answers() -> dict[str, Any]:
    """Let the page of an event call `answers_of(event)`."""
    return {"answers_of": load_event_answers}


def load_event_answers(event: Activity) -> list[tuple[Answer, str | None]]:
    """The people whom an event concerns, each with their name and why it was sent about them or not."""
    with reading(get_context().engine) as conn:
        answers = load_answers(conn, [event.id], get_context().now())
        people = load_people(conn, [answer.concerned.person_id for answer in answers])
    names = {person.id: choose_name(person.attributes, person.email) for person in people}
    return [(answer, names.get(answer.concerned.person_id)) for answer in answers]


def get_row(conn: Connection, store: VisibleStore) -> StoreRow:
    """The store's row; aborts with 404 if it was removed meanwhile."""
    return get_store(conn, store.store_id) or abort(404)


def load_page(conn: Connection, store: VisibleStore, person_id: int) -> PersonPage:
    """The person of this store; aborts with 404 if there is none."""
    return load_person_page(conn, get_row(conn, store), person_id, get_context().now()) or abort(404)
