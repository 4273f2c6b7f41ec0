"""What a merchant sees of their stores: how each stands, and what happened last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_security import auth_required, current_user
from sqlalchemy import Connection

from pipeline.hook_registration.diff import FINDING_TEXTS
from pipeline.ledger.accounts import OWNER, VisibleStore
from pipeline.ledger.engine import reading
from pipeline.ledger.hook_findings import list_findings
from pipeline.ledger.monitoring.alarms import AlarmRow
from pipeline.ledger.observed_events import DayCount
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
)
from pipeline.ledger.store_apis import ACTIVE, find_store_api
from pipeline.monitoring.status import get_hook_health
from pipeline.operations.pause import is_paused_by_platform
from receiver.pages.auth.permissions import get_my_store, list_my_stores
from receiver.pages.db_session import get_context
from receiver.pages.filters import reason, sentence
from receiver.pages.stores.backfills import BackfillView, load_backfill_view

CratejoyState = Literal["done", "underway", "failed", "removed", "by hand"]


@dataclass(frozen=True, slots=True)
class CratejoyStatus:
    """What a page says of it. `trouble`: a sentence each; what can be mended by itself is tried again by itself."""

    state: CratejoyState
    looked_at: int | None
    trouble: list[str]
    keys_refused: bool = False


def load_cratejoy_status(db: Connection, store_id: int) -> CratejoyStatus:
    """As the last audit of the hooks found it."""
    api = find_store_api(db, store_id)
    if api is None:
        return CratejoyStatus("by hand", None, [])
    if api.status != ACTIVE:
        return CratejoyStatus(
            "failed", api.audited_at, [sentence(api.status_reason or "Cratejoy refused the keys")], keys_refused=True
        )
    found = [one for one in list_findings(db, store_id) if one.mended_at is None and one.kind != "foreign"]
    trouble = [
        f"{one.event or 'a hook'}: {reason(one.failure) if one.failure else FINDING_TEXTS[one.kind]}" for one in found
    ]
    trouble += [sentence(api.audit_error)] if api.audit_error else []
    underway = api.audited_at is None or any(one.is_fixable for one in found)
    done: CratejoyState = "done" if api.registers else "removed"
    return CratejoyStatus("underway" if underway else "failed" if found else done, api.audited_at, trouble)


@dataclass(frozen=True, slots=True)
class MissedHooksView:
    """`days`: those on which hooks of an event stayed away, or came late; the newest first."""

    compared: ReconciliationSummary
    days: Sequence[DayCount]


def load_missed_hooks(db: Connection, store: str, now: int) -> MissedHooksView | None:
    """None if the store's API cannot be compared: we have no keys for it."""
    found = list_reconciliations(db, now, store)
    days = [one for one in count_last_week(db, now, store) if one.missed or one.late]
    return MissedHooksView(found[0], days) if found else None


blueprint = Blueprint("home", __name__)

EVENTS_PER_STORE, EVENTS_ON_STORE_PAGE = 5, 25


@dataclass(frozen=True, slots=True)
class StoreView:
    """A store as a page shows it."""

    name: str
    role: str
    connections: list[ConnectionCounts]
    cratejoy: CratejoyStatus
    customers: BackfillView
    missed: MissedHooksView | None
    alarms: Sequence[AlarmRow]
    counts: EventCounts
    events: list[EventSummary]

    @property
    def can_be_resumed(self) -> bool:
        """Whether whoever looks may have saved keys tried again."""
        refused = (
            any(is_paused_by_platform(one.status_reason) for one in self.connections) or self.cratejoy.keys_refused
        )
        return refused and self.role == OWNER

    @property
    def needs_attention(self) -> bool:
        """Whether something stands still until its owner, or whoever runs this, does something."""
        stopped = any(one.status != "active" for one in self.connections)
        return stopped or bool(self.alarms) or self.cratejoy.state == "failed" or self.customers.given_up

    @property
    def total(self) -> int:
        return sum(self.counts.by_name.values())


@blueprint.get("/")
def show() -> ResponseReturnValue:
    """The stores of whoever is logged in, those that need somebody first; the connect form for everybody else."""
    if not current_user.is_authenticated:
        return redirect(url_for("connect.show"))
    stores = sorted(load_store_views(list_my_stores(), EVENTS_PER_STORE), key=lambda one: not one.needs_attention)
    return render_template("home.html", stores=stores)


@blueprint.get("/stores/<name>")
@auth_required("session")
def store(name: str) -> str:
    """One store."""
    [found] = load_store_views([get_my_store(name)], EVENTS_ON_STORE_PAGE)
    return render_template("store.html", store=found)


@blueprint.get("/stores/<name>/latest")
@auth_required("session")
def latest(name: str) -> str:
    """What changes on a store's page, for the page's script."""
    [found] = load_store_views([get_my_store(name)], EVENTS_ON_STORE_PAGE)
    return render_template("latest.html", store=found)


def load_store_views(stores: list[VisibleStore], events: int) -> list[StoreView]:
    """These stores with their last events."""
    site = get_context()
    with reading(site.engine) as db:
        connections = count_by_connection(db, site.now()) if stores else []
        return [
            StoreView(
                store.name,
                store.role,
                [one for one in connections if one.store == store.name],
                load_cratejoy_status(db, store.store_id),
                load_backfill_view(db, store.store_id, site.now(), mine=store.role == OWNER),
                load_missed_hooks(db, store.name, site.now()),
                get_hook_health(db, site.now(), store.store_id).alarms,
                count_events(db, store.name),
                list_events(db, EventFilter(store=store.name), limit=events),
            )
            for store in stores
        ]
