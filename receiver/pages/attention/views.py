"""Needs attention: what needs a person now, the buttons that mend it, and what ended in the last thirty days."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from redis import RedisError

from pipeline.attention.actions import perform
from pipeline.attention.listing import build_known_item, load_known_items
from pipeline.attention.remedies import REMEDIES, Action, Remedy
from pipeline.attention.set_aside import set_aside, unset_aside
from pipeline.core.errors import CratewireError
from pipeline.core.plural import pluralize
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.alarms import list_ended_alarms
from pipeline.ledger.monitoring.rows import AlarmRow
from receiver.pages.addresses import read_id
from receiver.pages.attention.access import by_id, get_my_alarm, is_operator, is_visible, list_common_kinds, may
from receiver.pages.attention.cards import DAY_US, build_card, build_ended
from receiver.pages.attention.overview import load_proofs
from receiver.pages.auth.permissions import get_actor, list_my_stores, requires
from receiver.pages.connect.credential_check import FormRejected, count_try
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence

blueprint = Blueprint("attention", __name__)

HISTORY_US = 30 * DAY_US
MAX_ENDED = 200
_TRIES_KEYS: frozenset[Action] = frozenset({"try_keys", "try_cratejoy_keys"})


@blueprint.get("/attention")
@requires("see")
def show() -> str:
    """Show the list, the most serious first, and below it what is set aside and what has ended."""
    context, stores = get_context(), by_id(list_my_stores())
    now = context.now()
    with reading(context.engine) as conn:
        operates = is_operator(conn)
        items = load_known_items(conn, now)
        ended = [
            build_ended(row, build_known_item(row, now).headline)
            for row in list_ended_alarms(
                conn, now - HISTORY_US, MAX_ENDED, stores, list_common_kinds(stores, operates=operates)
            )
        ]
        proofs = load_proofs(conn, context, stores)
    mine = [item for item in items if is_visible(item.store_id, item.cause, stores, operates=operates)]
    cards = [
        build_card(item, can_act=may("pause", item.store_id, stores, operates=operates))
        for item in mine
        if item.cause in REMEDIES
    ]
    hidden = len({item.alarm_id for item in items if item.store_id is None} - {item.alarm_id for item in mine})
    return render_template(
        "attention.html",
        cards=[card for card in cards if card.item.set_aside is None],
        aside=[card for card in cards if card.item.set_aside is not None],
        ended=ended,
        hidden=hidden if stores else 0,
        proofs=proofs,
    )


@blueprint.get("/attention/<int:alarm_id>/<action>")
@requires("pause")
def ask(alarm_id: int, action: str) -> str:
    """Ask before an action that can start campaigns."""
    row = get_my_alarm(alarm_id, "pause")
    remedy = _get_remedy(row, action)
    item = build_known_item(row, get_context().now())
    return render_template("attention_ask.html", card=build_card(item, can_act=True), question=remedy.asks)


@blueprint.post("/attention/<int:alarm_id>/<action>")
@requires("pause")
def act(alarm_id: int, action: str) -> ResponseReturnValue:
    """Press the button of an item. The page says afterwards what was done."""
    row = get_my_alarm(alarm_id, "pause")
    remedy = _get_remedy(row, action)
    if remedy.asks and not request.form.get("sure"):
        return redirect(url_for("attention.ask", alarm_id=alarm_id, action=action))
    if row.ended_at is not None:
        flash("Nothing was done: it is over already.", "info")
        return redirect(url_for("attention.show"))
    try:
        if action in _TRIES_KEYS:
            count_try(f"store {row.store_id}")
        flash(perform(get_context(), cast("Action", action), row, get_actor()), "success")
    except (CratewireError, FormRejected) as error:
        flash(f"It stays as it is. {sentence(str(error))}", "error")
    except RedisError:
        flash("That is not possible at the moment: Redis does not answer. Please try again.", "error")
    return redirect(url_for("attention.show"))


@blueprint.post("/attention/<int:alarm_id>/set-aside")
@requires("set_aside")
def put_aside(alarm_id: int) -> ResponseReturnValue:
    """Set an item aside, with a reason, until it gets worse or for some days."""
    row = get_my_alarm(alarm_id, "set_aside")
    days = read_id(request.form.get("days"))
    try:
        set_aside(
            get_context(),
            row.id,
            get_actor(),
            reason=request.form.get("reason", ""),
            days=days,
        )
    except CratewireError as error:
        flash(sentence(str(error)), "error")
    else:
        until = f"for {pluralize(days, 'day')}, or until it gets worse" if days else "until it gets worse"
        flash(f"Set aside {until}. No mail mentions it meanwhile.", "success")
    return redirect(url_for("attention.show"))


@blueprint.post("/attention/<int:alarm_id>/bring-back")
@requires("set_aside")
def bring_back(alarm_id: int) -> ResponseReturnValue:
    """Put an item back on the list."""
    row = get_my_alarm(alarm_id, "set_aside")
    try:
        unset_aside(get_context(), row.id, get_actor())
    except CratewireError as error:
        flash(sentence(str(error)), "error")
    else:
        flash("It is back on the list.", "success")
    return redirect(url_for("attention.show"))


def _get_remedy(row: AlarmRow, action: str) -> Remedy:
    remedy = REMEDIES.get(row.kind)
    if remedy is None or remedy.action != action:
        abort(404)
    return remedy
