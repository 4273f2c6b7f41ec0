"""Events and messages for tests of the feed, and what a page shows of them."""

from __future__ import annotations

import re

from sqlalchemy import insert

from pipeline.ledger.connections import list_store_connections
from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from tests.builders import order
from tests.pipeline.ledger.rows import add_deliveries, add_event, add_person

HERS, OTHERS = "bea@example.com", "eve@example.com"
HOSTILE = "<script>alert(1)</script>\u202e&\x00"


def add(pages, store_id, number, first_name="Mila", **more):
    with writing(pages.site.engine) as conn:
        event_id = add_event(conn, store_id, number, **{"data": order(id=number), **more})
        person_id = add_person(conn, store_id, f"p{number}@example.com", attributes={"first_name": first_name})
        conn.execute(insert(core.EventPerson).values(event_id=event_id, person_id=person_id, role="customer"))
    return event_id


def send(pages, store_id, event_id, **more):
    with writing(pages.site.engine) as conn:
        [link] = list_store_connections(conn, store_id)
        person_id = add_person(conn, store_id, f"m{event_id}@example.com")
        add_deliveries(conn, link, person_id, event_id=event_id, **more)


def rows(visitor):
    return [int(number) for number in re.findall(r'<li id="event-(\d+)"', visitor.page)]
