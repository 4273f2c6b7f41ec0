"""What an owner does for a person: the export of what is stored, the erasure, the release of what is withheld."""

from __future__ import annotations

import json

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured
from pipeline.core.plural import pluralize
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.audit import record_store_action
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.stores import StoreRow
from pipeline.operations.consent import release as release_person
from pipeline.operations.erase_person import erase_person
from pipeline.regulations.erase import ErasureRequest
from pipeline.regulations.export import export_person
from pipeline.regulations.people import find_person, load_person
from pipeline.regulations.preview import ErasurePreview, preview_erasure
from receiver.pages.auth.permissions import get_actor, get_my_id, get_my_store, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence
from receiver.pages.people.page import blueprint, get_row, load_page

OPTIONS = ("suppress", "at_destinations")  # of an erasure; both are ticked until the owner says otherwise
NOT_THEIRS = "That is not this person's address or id. Nothing was erased."


@blueprint.get("/stores/<name>/people/<int:person_id>/export")
@requires("personal_data")
def export(name: str, person_id: int) -> ResponseReturnValue:
    """Download everything that is stored about a person."""
    store, context = get_my_store(name), get_context()
    with reading(context.engine) as conn:
        load_page(conn, store, person_id)
        document = export_person(
            conn, load_person(conn, get_row(conn, store), person_id), context.now(), context.settings.secret_keys
        )
    with writing(context.engine) as conn:
        record_store_action(conn, store.store_id, get_actor(), "person.exported", context.now(), {"person": person_id})
    file_name = f"{store.name}-person-{person_id}.json"
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"'}
    return Response(json.dumps(document, ensure_ascii=False, indent=2), mimetype="application/json", headers=headers)


@blueprint.get("/stores/<name>/people/<int:person_id>/erase")
@requires("personal_data")
def confirm(name: str, person_id: int) -> str:
    """Show what an erasure will empty, and ask for the address or id."""
    return _render_confirmation(get_my_store(name), person_id, dict.fromkeys(OPTIONS, True))


@blueprint.post("/stores/<name>/people/<int:person_id>/erase")
@requires("personal_data")
def erase(name: str, person_id: int) -> ResponseReturnValue:
    """Erase the person, if their address or id was typed; else ask again."""
    store, context = get_my_store(name), get_context()
    options = {option: option in request.form for option in OPTIONS}
    with reading(context.engine) as conn:
        load_page(conn, store, person_id)
        row = get_row(conn, store)
        is_named = _names(conn, row, request.form.get("typed", ""), person_id)
    if not is_named:
        return _render_confirmation(store, person_id, options, NOT_THEIRS), 400
    try:
        erase_person(context, ErasureRequest(row, f"person:{person_id}", **options, actor=get_actor()))
    except Misconfigured as error:
        return _render_confirmation(store, person_id, options, f"{sentence(str(error))} Nothing was erased."), 409
    flash("The person was erased.", "success")
    return redirect(url_for("people.show", name=name, person_id=person_id))


@blueprint.post("/stores/<name>/people/<int:person_id>/release")
@requires("change_settings")
def release(name: str, person_id: int) -> ResponseReturnValue:
    """Send what was withheld about the person, if it is said that they agreed to it."""
    store, context = get_my_store(name), get_context()
    if "agreed" not in request.form:
        flash("Nothing was sent. Tick the box if the person agreed to it.", "error")
        return redirect(url_for("people.show", name=name, person_id=person_id))
    try:
        with writing(context.engine) as conn:
            load_page(conn, store, person_id)
            sent = release_person(conn, store.store_id, person_id, str(get_my_id()), context.now())
            about = {"person": person_id}
            record_store_action(conn, store.store_id, get_actor(), "person.released", context.now(), about)
    except Misconfigured as error:
        flash(sentence(str(error)), "error")
    else:
        flash(f"The profile and {pluralize(sent, 'event')} are on their way.", "success")
    return redirect(url_for("people.show", name=name, person_id=person_id))


def _render_confirmation(
    store: VisibleStore, person_id: int, options: dict[str, bool], trouble: str | None = None
) -> str:
    with reading(get_context().engine) as conn:
        person, preview = load_page(conn, store, person_id), _preview(conn, store, person_id)
    page = {"store": store, "person": person, "preview": preview, "options": options, "trouble": trouble}
    return render_template("erase.html", **page)


def _preview(conn: Connection, store: VisibleStore, person_id: int) -> ErasurePreview:
    return preview_erasure(conn, ErasureRequest(get_row(conn, store), f"person:{person_id}"))


def _names(conn: Connection, row: StoreRow, typed: str, person_id: int) -> bool:
    """Whether what was typed names this person."""
    try:
        return find_person(conn, row, typed).person_id == person_id
    except Misconfigured:
        return False
