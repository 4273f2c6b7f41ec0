"""Finds a person of a store and shows them; owners export and erase."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured
from pipeline.inbox.append_only_file import rewrite_append_only_file
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.audit import record_store_action
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import PersonDetail, choose_name, get_person
from pipeline.ledger.regulations import RegulationRow, list_person_regulations, list_regulations
from pipeline.ledger.stores import StoreRow, get_store
from pipeline.regulations.erase import ErasureRequest, build_eraser
from pipeline.regulations.export import export_person
from pipeline.regulations.people import FoundPerson, find_person, load_person
from pipeline.regulations.preview import ErasurePreview, preview_erasure
from pipeline.regulations.progress import describe_destinations
from pipeline.regulations.transfer import save_regulations
from receiver.pages.auth.permissions import get_actor, get_my_id, get_my_store, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence

blueprint = Blueprint("people", __name__)

MAX_ERASURES = 50  # shown below the form
OPTIONS = ("suppress", "at_destinations")  # of an erasure; both are ticked until the owner says otherwise


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person as a page shows them. `erasures`: each with where it was done."""

    detail: PersonDetail
    erasures: list[tuple[RegulationRow, list[dict[str, Any]]]]

    @property
    def name(self) -> str:
        """What the person is called on the page."""
        return choose_name(self.detail.attributes, self.detail.email) or f"Person {self.detail.id}"

    @property
    def is_erased(self) -> bool:
        return bool(self.erasures) and not self.detail.keys


@blueprint.get("/stores/<name>/people")
@requires("see")
def search(name: str) -> str:
    """Show the form that finds a person, and the newest erasures."""
    return _render_search(get_my_store(name))


@blueprint.post("/stores/<name>/people")
@requires("see")
def find(name: str) -> ResponseReturnValue:
    """Find a person by address or id. The address is in no URL: those are in logs and histories."""
    store = get_my_store(name)
    try:
        with reading(get_context().engine) as conn:
            found = find_person(conn, _get_row(conn, store), request.form.get("wanted", ""))
    except Misconfigured as error:
        return _render_search(store, sentence(str(error))), 400
    if found.person_id is None:
        return _render_search(store, "The store has no person with that address or id."), 404
    return redirect(url_for("people.show", name=name, person_id=found.person_id))


@blueprint.get("/stores/<name>/people/<int:person_id>")
@requires("see")
def show(name: str, person_id: int) -> str:
    """Show one person."""
    store = get_my_store(name)
    with reading(get_context().engine) as conn:
        view = _load_view(conn, store, person_id)
    return render_template("person.html", store=store, person=view, may_erase=store.allows("personal_data"))


@blueprint.get("/stores/<name>/people/<int:person_id>/export")
@requires("personal_data")
def export(name: str, person_id: int) -> ResponseReturnValue:
    """Download everything that is stored about a person."""
    store, context = get_my_store(name), get_context()
    with reading(context.engine) as conn:
        document = export_person(conn, _load_person(conn, store, person_id), context.now())
    with writing(context.engine) as conn:
        record_store_action(conn, store.store_id, get_actor(), "person.exported", context.now(), {"person": person_id})
    file_name = f"{store.name}-person-{person_id}.json"
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"'}
    return Response(json.dumps(document, ensure_ascii=False, indent=2), mimetype="application/json", headers=headers)


@blueprint.get("/stores/<name>/people/<int:person_id>/erase")
@requires("personal_data")
def confirm(name: str, person_id: int) -> str:
    """Show what an erasure will empty, and ask for the address or id."""
    store = get_my_store(name)
    with reading(get_context().engine) as conn:
        view, preview = _load_view(conn, store, person_id), _preview(conn, store, person_id)
    return render_template(
        "erase.html", store=store, person=view, preview=preview, options=dict.fromkeys(OPTIONS, True)
    )


@blueprint.post("/stores/<name>/people/<int:person_id>/erase")
@requires("personal_data")
def erase(name: str, person_id: int) -> ResponseReturnValue:
    """Erase the person, if their address or id was typed; else ask again."""
    store, context = get_my_store(name), get_context()
    options = {option: option in request.form for option in OPTIONS}
    with reading(context.engine) as conn:
        view, row = _load_view(conn, store, person_id), _get_row(conn, store)
        if not _names(conn, row, request.form.get("typed", ""), person_id):
            preview = _preview(conn, store, person_id)
            page = {"store": store, "person": view, "preview": preview, "options": options, "trouble": True}
            return render_template("erase.html", **page), 400
    build_eraser(context).erase(ErasureRequest(row, f"person:{person_id}", **options, user_id=get_my_id()))
    save_regulations(context.engine, context.settings.data_dir)
    rewrite_append_only_file(context.redis)
    flash("The person was erased.", "success")
    return redirect(url_for("people.show", name=name, person_id=person_id))


def _render_search(store: VisibleStore, trouble: str | None = None) -> str:
    with reading(get_context().engine) as conn:
        newest = list_regulations(conn, store.store_id)[: -MAX_ERASURES - 1 : -1]
        places = describe_destinations(conn, [row.id for row in newest])
    erasures = [(row, [place for place in places if place["regulation"] == row.id]) for row in newest]
    return render_template("people.html", store=store, erasures=erasures, trouble=trouble)


def _get_row(conn: Connection, store: VisibleStore) -> StoreRow:
    return get_store(conn, store.store_id) or abort(404)


def _load_person(conn: Connection, store: VisibleStore, person_id: int) -> FoundPerson:
    if get_person(conn, store.store_id, person_id) is None:
        abort(404)
    return load_person(conn, _get_row(conn, store), person_id)


def _load_view(conn: Connection, store: VisibleStore, person_id: int) -> PersonView:
    detail = get_person(conn, store.store_id, person_id) or abort(404)
    rows = list_person_regulations(conn, person_id)
    places = describe_destinations(conn, [row.id for row in rows])
    return PersonView(detail, [(row, [place for place in places if place["regulation"] == row.id]) for row in rows])


def _preview(conn: Connection, store: VisibleStore, person_id: int) -> ErasurePreview:
    return preview_erasure(conn, ErasureRequest(_get_row(conn, store), f"person:{person_id}"))


def _names(conn: Connection, row: StoreRow, typed: str, person_id: int) -> bool:
    """Whether what was typed names this person."""
    try:
        return find_person(conn, row, typed).person_id == person_id
    except Misconfigured:
        return False
