"""The batches of a shop: how many boxes each will have, its freeze, and what was changed after it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured
from pipeline.fulfilment.batches import FrozenBatch, compare_frozen
from pipeline.fulfilment.rules.manifest import CHANGES, Change, count_skus
from pipeline.fulfilment.work import request_forecast, request_freeze
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.batches import BatchLine, count_frozen, list_batches, list_frozen, list_frozen_waves
from pipeline.ledger.fulfilment.warehouses import WarehouseRow, find_warehouse
from pipeline.ledger.fulfilment.work import find_last_work
from receiver.pages.auth.permissions import get_actor, get_my_store, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence
from receiver.pages.warehouse.files import takes_files
from receiver.pages.warehouse.work import load_people, show_work

blueprint = Blueprint("batches", __name__)

MAX_LISTED = 500  # boxes of a manifest, or changes, that a page lists; the file has all
# What a forecast is counted by: its title, and its name in the forecast.
GROUPS = (("SKU", "by_sku"), ("variant", "by_variant"), ("gift", "by_gift"), ("country", "by_country"))
GIFTS = {"gift": "gifts", "no_gift": "no gifts"}
# How sure the boxes are that a forecast knows.
CERTAINTIES = {
    "sent": "at the warehouse",
    "paid": "paid",
    "held": "held",
    "renewal": "may renew",
}


@dataclass(frozen=True, slots=True)
class Expected:
    """A row of a forecast: what is counted, and its range."""

    by: str
    what: str
    low: int
    likely: int
    high: int


@dataclass(frozen=True, slots=True)
class WaveView:
    """A frozen batch, or one of its waves, as the page shows it. `changes`: by code, in the order of CHANGES."""

    frozen: FrozenBatch
    frozen_by: str
    skus: Mapping[str, int]
    changes: Sequence[tuple[str, Sequence[Change]]]

    @property
    def name(self) -> str:
        return self.frozen.row.wave


@blueprint.get("/stores/<name>/warehouse/batches")
@requires("see")
def index(name: str) -> ResponseReturnValue:
    """List the batches, the one that ends last first."""
    store = get_my_store(name)
    with reading(get_context().engine) as conn:
        row = find_warehouse(conn, store.store_id)
        found, frozen = list_batches(conn, store.store_id), count_frozen(conn, store.store_id)
    if row is None:
        return redirect(url_for("warehouse.show", name=name))
    return render_template("batches.html", store=store, batches=found, frozen=frozen, now=get_context().now())


@blueprint.get("/stores/<name>/warehouse/batches/<int:batch_id>")
@requires("see")
def show(name: str, batch_id: int) -> str:
    """Show one batch: what is expected of it, or what was frozen and what is otherwise by now."""
    store = get_my_store(name)
    with reading(get_context().engine) as conn:
        row, line = _get_batch(conn, store, batch_id)
        people = load_people(conn, store)
        forecast = show_work(find_last_work(conn, store.store_id, f"forecast {batch_id}"), people)
        made = show_work(find_last_work(conn, store.store_id, f"forecast {batch_id}", "done"), people)
        freeze = show_work(find_last_work(conn, store.store_id, f"freeze {batch_id}"), people)
        waves, fault = _load_waves(conn, store, batch_id)
        views = [_show_wave(one, people.name(one.row.user_id)) for one in waves]
    working = [one for one in (forecast, freeze) if one is not None and one.row.is_working]
    return render_template(
        "batch.html",
        store=store,
        line=line,
        now=get_context().now(),
        forecast=forecast,
        made=made,
        expected=list(_list_expected(made.row.result)) if made is not None else [],
        known=_describe_known(made.row.result) if made is not None else "",
        freeze=freeze,
        working=working,
        waves=views,
        fault=fault,
        change_words=CHANGES,
        most=MAX_LISTED,
        takes_files=takes_files(row),
        may_act=store.allows("replay"),
    )


@blueprint.post("/stores/<name>/warehouse/batches/<int:batch_id>/forecast")
@requires("replay")
def forecast(name: str, batch_id: int) -> ResponseReturnValue:
    """Have the forecast made, or made anew."""
    store = get_my_store(name)
    try:
        request_forecast(get_context(), store.store_id, batch_id, get_actor())
    except Misconfigured as error:
        flash(f"There is no forecast. {sentence(str(error))}", "error")
    return _go_back(name, batch_id)


@blueprint.get("/stores/<name>/warehouse/batches/<int:batch_id>/freeze")
@requires("replay")
def ask(name: str, batch_id: int) -> str:
    """Ask before a batch is frozen, since it is frozen once."""
    store = get_my_store(name)
    with reading(get_context().engine) as conn:
        _, line = _get_batch(conn, store, batch_id)
    return render_template("batch_freeze.html", store=store, line=line, now=get_context().now())


@blueprint.post("/stores/<name>/warehouse/batches/<int:batch_id>/freeze")
@requires("replay")
def freeze(name: str, batch_id: int) -> ResponseReturnValue:
    """Have the batch frozen, once a person is sure."""
    store = get_my_store(name)
    if not request.form.get("sure"):
        return redirect(url_for("batches.ask", name=name, batch_id=batch_id))
    try:
        request_freeze(get_context(), store.store_id, batch_id, get_actor())
    except Misconfigured as error:
        flash(f"Nothing was frozen. {sentence(str(error))}", "error")
    return _go_back(name, batch_id)


@blueprint.get("/stores/<name>/warehouse/batches/<int:batch_id>/manifest")
@requires("see")
def manifest(name: str, batch_id: int) -> ResponseReturnValue:
    """Download what was frozen, each wave with its hash. It has no names and no addresses."""
    store = get_my_store(name)
    with reading(get_context().engine) as conn:
        rows = list_frozen(conn, store.store_id, batch_id) or abort(404)
    document = json.dumps([row.manifest for row in rows], ensure_ascii=False, indent=2)
    headers = {"Content-Disposition": f'attachment; filename="{store.name}-batch-{batch_id}.json"'}
    return Response(document, mimetype="application/json", headers=headers)


def _get_batch(conn: Connection, store: VisibleStore, batch_id: int) -> tuple[WarehouseRow, BatchLine]:
    row = find_warehouse(conn, store.store_id) or abort(404)
    found = (one for one in list_batches(conn, store.store_id) if one.batch_id == batch_id)
    return row, next(found, None) or abort(404)


def _load_waves(conn: Connection, store: VisibleStore, batch_id: int) -> tuple[Sequence[FrozenBatch], str | None]:
    """What was frozen, each wave with its changes; and why it cannot be shown, such as a manifest that was changed."""
    if batch_id not in {frozen for frozen, _ in list_frozen_waves(conn, store.store_id)}:
        return (), None
    try:
        return compare_frozen(conn, store.store_id, batch_id), None
    except Misconfigured as error:
        return (), sentence(str(error))


def _show_wave(frozen: FrozenBatch, frozen_by: str) -> WaveView:
    by_code = {code: [one for one in frozen.changes if one.code == code] for code in CHANGES}
    changes = [(code, found) for code, found in by_code.items() if found]
    return WaveView(frozen, frozen_by, count_skus(frozen.manifest), changes)


def _list_expected(result: Mapping[str, Any]) -> Iterator[Expected]:
    expected = result["expected"]
    yield Expected("boxes", "in all", **expected["total"])
    for title, group in GROUPS:
        for what, found in expected[group].items():
            yield Expected(title, GIFTS.get(what, what) or "not known", **found)


def _describe_known(result: Mapping[str, Any]) -> str:
    """What a forecast was made from: `12 paid, 1 held`."""
    known = result["known"]
    found = [f"{known[certainty]} {words}" for certainty, words in CERTAINTIES.items() if known.get(certainty)]
    return ", ".join(found)


def _go_back(name: str, batch_id: int) -> ResponseReturnValue:
    return redirect(url_for("batches.show", name=name, batch_id=batch_id))
