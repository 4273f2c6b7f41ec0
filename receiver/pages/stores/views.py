"""The merchant's stores: the status and the latest events of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from sqlalchemy import Connection

from pipeline.core.roles import Role, is_allowed
from pipeline.events.notes import describe_note
from pipeline.hook_registration.diff import FINDING_TEXTS
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.engine import reading
from pipeline.ledger.hook_findings import list_findings
from pipeline.ledger.monitoring.rows import AlarmRow
from pipeline.ledger.observation import DayCount
from pipeline.ledger.queries import (
    ConnectionCounts,
    EventCounts,
    EventFilter,
    EventSummary,
    ReconciliationSummary,
    count_by_connection,
    count_events,
    count_last_week,
    list_events,
    list_reconciliations,
    load_notes,
)
from pipeline.ledger.removals import RemovalRow, find_removal
from pipeline.ledger.store_apis import ACTIVE, find_store_api
from pipeline.ledger.stores import get_store
from pipeline.monitoring.status import get_hook_health
from pipeline.operations.pause import is_paused_by_platform
from receiver.consent_view import ConsentView, load_consent_view
from receiver.pages.auth.permissions import get_my_store, list_my_stores, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import reason, sentence
from receiver.pages.stores.backfills import BackfillView, load_backfill_view

CratejoyState = Literal["done", "underway", "failed", "removed", "by hand"]


@dataclass(frozen=True, slots=True)
class CratejoyStatus:
    """A store's status at Cratejoy. `trouble`: a sentence for each fault; what can be fixed is retried."""

    state: CratejoyState
    audited_at: int | None
    trouble: list[str]
    keys_refused: bool = False


def load_cratejoy_status(conn: Connection, store_id: int) -> CratejoyStatus:
    """Load the status as found by the last audit of the hooks."""
    api = find_store_api(conn, store_id)
    if api is None:
        return CratejoyStatus("by hand", None, [])
    if api.status != ACTIVE:
        return CratejoyStatus(
            "failed", api.audited_at, [sentence(api.status_reason or "Cratejoy refused the keys")], keys_refused=True
        )
    findings = [
        finding for finding in list_findings(conn, store_id) if finding.mended_at is None and finding.kind != "foreign"
    ]
    trouble = [
        f"{finding.event or 'a hook'}: {reason(finding.failure) if finding.failure else FINDING_TEXTS[finding.kind]}"
        for finding in findings
    ]
    trouble += [sentence(api.audit_error)] if api.audit_error else []
    is_pending = api.audited_at is None or any(finding.is_fixable for finding in findings)
    settled: CratejoyState = "done" if api.registers else "removed"
    return CratejoyStatus("underway" if is_pending else "failed" if findings else settled, api.audited_at, trouble)


@dataclass(frozen=True, slots=True)
class MissedHooksView:
    """`days`: those on which hooks of an event were missed or late, newest first."""

    compared: ReconciliationSummary
    days: Sequence[DayCount]


def load_missed_hooks(conn: Connection, store: str, now: int) -> MissedHooksView | None:
    """Load the missed hooks of the last seven days; None if there are no keys for the store's API."""
    reconciliations = list_reconciliations(conn, now, store)
    days = [day for day in count_last_week(conn, now, store) if day.missed or day.late]
    return MissedHooksView(reconciliations[0], days) if reconciliations else None


blueprint = Blueprint("home", __name__)

EVENTS_PER_STORE, EVENTS_ON_STORE_PAGE = 5, 25
MAX_NOTES = 3  # shown of each event; `cratewire events show` shows all


@dataclass(frozen=True, slots=True)
class StoreView:
    """A store as shown on a page."""

    name: str
    shown_name: str
    role: Role
    connections: list[ConnectionCounts]
    cratejoy: CratejoyStatus
    customers: BackfillView
    missed: MissedHooksView | None
    alarms: Sequence[AlarmRow]
    counts: EventCounts
    events: list[EventSummary]
    notes: Mapping[int, list[str]]  # by event id, in words
    consent: ConsentView
    removal: RemovalRow | None

    @property
    def can_be_resumed(self) -> bool:
        """Whether the user may retry saved keys."""
        refused = (
            any(is_paused_by_platform(connection.status_reason) for connection in self.connections)
            or self.cratejoy.keys_refused
        )
        return refused and is_allowed(self.role, "pause")

    @property
    def needs_attention(self) -> bool:
        """Whether something is stopped until its owner, or the operator, acts."""
        stopped = any(connection.status != "active" for connection in self.connections)
        return stopped or bool(self.alarms) or self.cratejoy.state == "failed" or self.customers.has_failed

    @property
    def total(self) -> int:
        return sum(self.counts.by_name.values())


@blueprint.get("/")
def show() -> ResponseReturnValue:
    """Show the user's stores, those that need attention first. Visitors are redirected to the connect form."""
    if not current_user.is_authenticated:
        return redirect(url_for("connect.show"))
    stores = sorted(load_store_views(list_my_stores(), EVENTS_PER_STORE), key=lambda view: not view.needs_attention)
    return render_template("home.html", stores=stores)


@blueprint.get("/stores/<name>")
@requires("see")
def store(name: str) -> str:
    """Show one store."""
    [view] = load_store_views([get_my_store(name)], EVENTS_ON_STORE_PAGE)
    return render_template("store.html", store=view)


@blueprint.get("/stores/<name>/latest")
@requires("see")
def latest(name: str) -> str:
    """Render the changing part of a store's page, for its script."""
    [view] = load_store_views([get_my_store(name)], EVENTS_ON_STORE_PAGE)
    return render_template("latest.html", store=view)


def load_store_views(stores: list[VisibleStore], events: int) -> list[StoreView]:
    """Load these stores with their latest events."""
    context = get_context()
    with reading(context.engine) as conn:
        connections = count_by_connection(conn, context.now()) if stores else []
        return [_load_store_view(conn, store, connections, events, context.now()) for store in stores]


def _load_store_view(
    conn: Connection, store: VisibleStore, connections: list[ConnectionCounts], events: int, now: int
) -> StoreView:
    latest = list_events(conn, EventFilter(store=store.name), limit=events)
    return StoreView(
        store.name,
        store.shown_name,
        store.role,
        [connection for connection in connections if connection.store == store.name],
        load_cratejoy_status(conn, store.store_id),
        load_backfill_view(conn, store.store_id, now, can_act=store.allows("pause")),
        load_missed_hooks(conn, store.name, now),
        get_hook_health(conn, now, store.store_id).alarms,
        count_events(conn, store.name),
        latest,
        {event_id: describe_notes(notes) for event_id, notes in load_notes(conn, [row.id for row in latest]).items()},
        load_consent_view(conn, get_store(conn, store.store_id) or abort(404)),
        find_removal(conn, store.store_id),
    )


def describe_notes(notes: Sequence[Mapping[str, Any]]) -> list[str]:
    """The first notes of an event in words, and how many more there are."""
    more = len(notes) - MAX_NOTES
    shown = [sentence(describe_note(note)) for note in notes[:MAX_NOTES]]
    return [*shown, *([f"And {more} more."] if more > 0 else [])]
