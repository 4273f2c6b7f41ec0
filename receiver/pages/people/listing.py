"""The people of all the user's stores: the newest changes first, and found by address, customer number or name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from pipeline.backfill.progress import load_progress
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.engine import reading
from pipeline.ledger.queries import choose_name
from pipeline.ledger.queries.people_list import (
    PeopleCursor,
    PersonSummary,
    list_people,
    load_people,
)
from pipeline.ledger.queries.search import MAX_FOUND, search
from pipeline.ledger.store_apis import find_store_api
from pipeline.people.headline import describe_role
from receiver.pages.addresses import read_cursor
from receiver.pages.auth.permissions import list_my_stores, requires
from receiver.pages.db_session import get_context
from receiver.pages.people.page import blueprint

PAGE_SIZE = 50
MAX_STORES_EXPLAINED = 5  # whose reading of customers is named where a person is not found
_WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person in a list."""

    person: PersonSummary
    store_name: str
    now: int

    @property
    def name(self) -> str:
        return choose_name(self.person.attributes, self.person.email) or f"Person {self.person.id}"

    @property
    def role(self) -> str:
        """What they are to the shop."""
        return describe_role(self.person.attributes, self.now)


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a store's customers were read: why a person may not be known yet. `last_at`: µs; None: never."""

    store: VisibleStore
    has_api: bool
    last_at: int | None


@blueprint.get("/people")
@requires("see")
def show_all() -> str:
    """Show a page of people."""
    stores = list_my_stores()
    chosen = _choose_stores(stores, request.args.get("store"))
    shown = request.args.get("show")
    if shown not in (None, "", _WITHHELD):
        abort(404)
    with reading(get_context().engine) as conn:
        found = list_people(
            conn,
            [store.store_id for store in chosen],
            only_withheld=shown == _WITHHELD,
            after=_read_cursor(request.args.get("after")),
            limit=PAGE_SIZE + 1,
        )
    page, is_last = found[:PAGE_SIZE], len(found) <= PAGE_SIZE
    given = {name: value for name in ("store", "show") if (value := request.args.get(name))}
    older = None if is_last else {**given, "after": f"{page[-1].known_at}.{page[-1].id}"}
    return _render(stores, page, given=given, older=older, is_first="after" not in request.args)


@blueprint.post("/people")
@requires("see")
def find_all() -> ResponseReturnValue:
    """Find people in all stores, as the search does. What was typed is in no URL: those are in logs and histories."""
    stores, wanted = list_my_stores(), request.form.get("wanted", "").strip()
    with reading(get_context().engine) as conn:
        hits = search(conn, [store.store_id for store in stores], wanted)
        found = load_people(conn, [person.id for person in hits.people])
        readings = [] if found else _load_readings(conn, stores)
    if len(found) == 1:
        return redirect(url_for("people.show", name=found[0].store, person_id=found[0].id))
    page = _render(stores, found, wanted=wanted, readings=readings, has_more=hits.has_more)
    return page if found else (page, 404)


def _render(  # noqa: PLR0913 what the template shows
    stores: Sequence[VisibleStore],
    people: Sequence[PersonSummary],
    *,
    given: dict[str, str] | None = None,
    older: dict[str, str] | None = None,
    is_first: bool = True,
    wanted: str | None = None,
    readings: Sequence[Reading] = (),
    has_more: bool = False,
) -> str:
    names, now = {store.name: store.shown_name for store in stores}, get_context().now()
    return render_template(
        "people_all.html",
        rows=[PersonRow(person, names.get(person.store, person.store), now) for person in people],
        stores=stores,
        given=given or {},
        older=older,
        is_first=is_first,
        wanted=wanted,
        kind="address" if "@" in (wanted or "") else "number" if (wanted or "").isdigit() else "name",
        readings=readings,
        most=MAX_FOUND if has_more else None,
    )


def _choose_stores(stores: Sequence[VisibleStore], name: str | None) -> list[VisibleStore]:
    """All stores, or the one of this name; aborts with 404 if it is another account's."""
    chosen = [store for store in stores if name in (None, "", store.name)]
    return chosen if chosen or not name else abort(404)


def _read_cursor(text: str | None) -> PeopleCursor | None:
    known_at, person_id = read_cursor(text)
    return None if known_at is None or person_id is None else PeopleCursor(known_at, person_id)


def _load_readings(conn: Connection, stores: Sequence[VisibleStore]) -> list[Reading]:
    found = []
    for store in stores[:MAX_STORES_EXPLAINED]:
        progress = load_progress(conn, store.store_id, get_context().now())
        has_api = find_store_api(conn, store.store_id) is not None
        found.append(Reading(store, has_api, progress.ended_at if progress else None))
    return found
