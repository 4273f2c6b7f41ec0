"""One box: its life on one line, everything that happened to it, its parcels, where it goes, and its buttons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured, OrderChanged
from pipeline.core.fulfilment import Order, State
from pipeline.events.money import format_money
from pipeline.fulfilment.requests import Choice, Requests
from pipeline.ledger.accounts import VisibleStore, list_members
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.events import FulfilmentEventRow, list_order_events
from pipeline.ledger.fulfilment.orders import OrderRow, find_newest_order, find_order
from pipeline.ledger.fulfilment.packages import list_packages
from pipeline.ledger.fulfilment.warehouses import find_warehouse
from pipeline.ledger.queries import Activity, ActivityFilter, list_activity
from receiver.pages.activity.wording import Mark, describe_outcome
from receiver.pages.auth.permissions import get_actor, get_my_store, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence
from receiver.pages.warehouse import wording
from receiver.pages.warehouse.orders import PARAMETERS, blueprint

MAX_EVENTS = 50  # of the feed, about one order or shipment


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop on the way of a box. `at`: µs; None: it has not come there. `words`: what stands below."""

    title: str
    at: int | None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of the life of a box: an event of the fulfilment, or one of the feed about its order or shipment."""

    at: int
    entry: FulfilmentEventRow | None = None
    event: Activity | None = None
    marks: Sequence[Mark] = ()

    @property
    def words(self) -> str:
        return wording.describe_event(self.entry.kind) if self.entry is not None else ""


@dataclass(frozen=True, slots=True)
class Question:
    """A button. `asks`: what is asked before it is done; "" if it is done at once."""

    action: Choice
    button: str
    asks: str = ""


QUESTIONS: Mapping[Choice, Question] = {
    one.action: one
    for one in (
        Question("release", "Release"),
        Question("retry", "Try again now"),
        Question(
            "resend",
            "Send again …",
            "The box goes out once more, under a new number that the warehouse has never had. "
            "If the first one left after all, the customer gets two.",
        ),
        Question(
            "mark_sent",
            "The warehouse has it …",
            "You have asked the warehouse, and it has this box. It is not sent, and its tracking is waited for.",
        ),
        Question(
            "write_tracking",
            "Write its tracking …",
            "The tracking number is written to Cratejoy, which mails the customer that the box is on its way.",
        ),
        Question("ignore", "Leave it so"),
        Question("dismiss_notice", "Seen"),
    )
}
DONE: Mapping[Choice, str] = {
    "release": "Released. It goes out with the next delivery.",
    "retry": "It is tried again now.",
    "mark_sent": "Marked as sent. Its tracking is waited for.",
    "write_tracking": "Its tracking is written to Cratejoy now.",
    "ignore": "It stays as it is.",
    "dismiss_notice": "The notice is put away.",
}


@blueprint.get("/stores/<name>/orders/<order_number>")
@requires("see")
def show_box(name: str, order_number: str) -> str:
    """Show one box. Its names and addresses are decrypted for this page only."""
    store = get_my_store(name)
    row, (requests, fault) = _get_box(store, order_number), _open(store)
    with reading(get_context().engine) as conn:
        newest = find_newest_order(conn, store.store_id, row.shipment_id)
        happenings = sorted(_list_happenings(conn, row), key=lambda one: one.at)
        members = {member.user_id: member.email for member in list_members(conn, store.account_id)}
        packages = list_packages(conn, [row.id])
        warehouse = find_warehouse(conn, store.store_id)
    choices = requests.list_choices(row, is_newest=newest is not None and newest.id == row.id) if requests else []
    return render_template(
        "order.html",
        store=store,
        row=row,
        fault=fault,
        order=_unseal(requests, row),
        stops=list_stops(row, happenings),
        happenings=happenings,
        members=members,
        packages=packages,
        newest=newest if newest is not None and newest.id != row.id else None,
        buttons=[QUESTIONS[one] for one in choices] if store.allows("replay") else [],
        keeps_boxes=wording.describe_standstill(warehouse) if warehouse is not None else "",
        cools_off=row.state is State.DISCOVERED and row.reason == "cooling_off",
    )


@blueprint.get("/stores/<name>/orders/<order_number>/<action>")
@requires("replay")
def ask(name: str, order_number: str, action: str) -> str:
    """Ask before what cannot be taken back."""
    store, question = get_my_store(name), _get_question(action)
    return render_template("order_ask.html", store=store, row=_get_box(store, order_number), question=question)


@blueprint.post("/stores/<name>/orders/<order_number>/<action>")
@requires("replay")
def act(name: str, order_number: str, action: str) -> ResponseReturnValue:
    """Do what a person decides, by the operation that the command line has; then show the box, or the list again."""
    store, question = get_my_store(name), _get_question(action)
    row = _get_box(store, order_number)
    if question.asks and not request.form.get("sure"):
        return redirect(url_for("orders.ask", name=name, order_number=row.order_number, action=action))
    shown = row.order_number
    try:
        shown = _do(Requests(get_context(), store.store_id, get_actor()), row, question.action)
    except OrderChanged:
        flash("Nothing was changed: the box has just changed by itself. Look at it again.", "error")
    except Misconfigured as error:
        flash(f"Nothing was changed. {sentence(str(error))}", "error")
    back: dict[str, Any] = {key: value for key in PARAMETERS if (value := request.args.get(key))}
    return redirect(
        url_for("orders.show", **back) if back else url_for("orders.show_box", name=name, order_number=shown)
    )


def _do(requests: Requests, row: OrderRow, action: Choice) -> str:
    """Do it; returns the number of the box to look at then."""
    if action == "resend":
        number = requests.resend(row.order_number).order_number
        unless = ", unless it is cancelled at Cratejoy" if row.state is State.CANCELLED else ""
        flash(f"{row.order_number} goes out again as {number}{unless}.", "success")
        return number
    if action == "dismiss_notice":
        requests.dismiss_notice(row.order_number)
    else:
        requests.decide(row.order_number, action)
    flash(f"{row.order_number}: {DONE[action]}", "success")
    return row.order_number


def list_stops(row: OrderRow, happenings: Sequence[Happening]) -> list[Stop]:
    """The way of a box from its payment to the customer's e-mail, as far as the payment's event is kept."""
    paid = [one.at for one in happenings if one.event is not None and one.event.name == "order_new"]
    return [
        *([Stop("Paid", paid[0], "in the shop")] if paid else []),
        Stop("Found", row.first_seen_at, "at Cratejoy"),
        Stop("Sent", row.sent_at, "to the warehouse"),
        Stop("Shipped", row.shipped_at, "by the warehouse"),
        Stop("Confirmed", row.confirmed_at, "Cratejoy mails the customer"),
    ]


def _list_happenings(conn: Connection, row: OrderRow) -> Iterator[Happening]:
    """What happened to the box, and the events of the feed about its orders and its shipment."""
    now = get_context().now()
    yield from (Happening(entry.at, entry=entry) for entry in list_order_events(conn, [row.id]))
    seen: set[int] = set()
    for subject in (*(("order", number) for number in row.order_ids), ("shipment", row.shipment_id)):
        wanted = ActivityFilter(store_ids=(row.store_id,), subject=subject)
        for event in list_activity(conn, wanted, format_money, limit=MAX_EVENTS):
            if event.id not in seen:
                seen.add(event.id)
                yield Happening(event.occurred_at, event=event, marks=describe_outcome(event, now))


def _get_box(store: VisibleStore, order_number: str) -> OrderRow:
    with reading(get_context().engine) as conn:
        return find_order(conn, store.store_id, order_number) or abort(404)


def _get_question(action: str) -> Question:
    return next((one for name, one in QUESTIONS.items() if name == action), None) or abort(404)


def _open(store: VisibleStore) -> tuple[Requests | None, str | None]:
    """What decides about boxes; None with the reason if the keys or the settings cannot be read."""
    try:
        return Requests(get_context(), store.store_id, get_actor()), None
    except Misconfigured as error:
        return None, sentence(str(error))


def _unseal(requests: Requests | None, row: OrderRow) -> Order | None:
    """The order with its names and addresses, as far as they are kept."""
    try:
        return requests.open(row) if requests is not None else None
    except Misconfigured:
        return None
