"""A store's page: how it is doing, its figures in the order of the flow, and its last events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import abort, render_template
from sqlalchemy import Connection, func, select

from pipeline.attention.listing import build_known_item
from pipeline.attention.remedies import REMEDIES
from pipeline.events.catalogue import EVENTS
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.counts.keys import HOUR_US, HOURS_PER_DAY
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.rows import AlarmRow
from pipeline.ledger.queries import load_flow
from pipeline.ledger.queries.event_hours import UsualRange, load_usual_hours
from pipeline.ledger.queries.standings import load_standings
from pipeline.ledger.queries.store_figures import HOURS_SHOWN, StoreFigures, load_store_figures
from pipeline.ledger.removals import RemovalRow, find_removal
from pipeline.ledger.schema.core import DeadHook, Event
from pipeline.ledger.stores import get_store
from pipeline.operations.figures import HOOKS_WANTED
from pipeline.operations.pause import is_paused_by_platform
from receiver.consent_view import ConsentView, load_consent_view
from receiver.pages.activity.rows import EventRow, load_newest_rows, load_row
from receiver.pages.attention.cards import Card, build_card
from receiver.pages.auth.permissions import get_my_store, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import connection as name_connection
from receiver.pages.filters import sentence
from receiver.pages.stores.backfills import BackfillView, load_backfill_view
from receiver.pages.stores.blueprint import blueprint
from receiver.pages.stores.cratejoy import CratejoyStatus, MissedHooksView, load_cratejoy_status, load_missed_hooks
from receiver.pages.stores.first_run import FirstRun, load_first_run
from receiver.pages.stores.overview import load_facts
from receiver.pages.stores.verdict import StoreFacts, Verdict, judge

EVENTS_SHOWN = 10
DAY_US = HOURS_PER_DAY * HOUR_US


@dataclass(frozen=True, slots=True)
class ChartHour:
    """An hour of the chart: when it began (µs), its events, and how many are usual."""

    at: int
    events: int
    usual: UsualRange | None


@dataclass(frozen=True, slots=True)
class StoreView:
    """A store as its page shows it. `sent_today`: the events of today that are at the platform; days are UTC."""

    store: VisibleStore
    facts: StoreFacts
    verdict: Verdict
    cards: Sequence[Card]
    cratejoy: CratejoyStatus
    customers: BackfillView
    missed: MissedHooksView | None
    dead_hooks: int
    sent_today: int
    today: int
    chart: Sequence[ChartHour]
    rows: Sequence[EventRow]
    first_run: FirstRun | None
    first_event: EventRow | None
    consent: ConsentView
    removal: RemovalRow | None
    hooks_wanted: int = HOOKS_WANTED

    @property
    def name(self) -> str:
        return self.store.name

    @property
    def figures(self) -> StoreFigures:
        return self.facts.figures

    @property
    def alarms(self) -> Sequence[AlarmRow]:
        return self.facts.standing.alarms

    @property
    def platform(self) -> str:
        """The name of its platform, or what several of them are called."""
        names = [name_connection(link) for link in self.facts.connections]
        return names[0] if len(names) == 1 else "the platforms"

    @property
    def troubles(self) -> list[str]:
        """What waits for a person and has no alarm yet."""
        kinds = {alarm.kind for alarm in self.alarms}
        is_known = "platform_keys_refused" in kinds
        found = [
            f"{name_connection(link)}: {sentence(link.status_reason)} Everything is kept; nothing is sent."
            for link in self.facts.connections
            if link.status_reason and not (is_known and is_paused_by_platform(link.status_reason))
        ]
        if self.cratejoy.state == "failed" and not kinds & {"cratejoy_keys_refused", "hooks_not_registered"}:
            found += self.cratejoy.trouble
        return found

    @property
    def can_be_resumed(self) -> bool:
        """Whether the user may retry saved keys, and no card offers that yet."""
        kinds = {alarm.kind for alarm in self.alarms}
        is_refused = any(is_paused_by_platform(link.status_reason) for link in self.facts.connections)
        is_new = (is_refused and "platform_keys_refused" not in kinds) or (
            self.cratejoy.keys_refused and "cratejoy_keys_refused" not in kinds
        )
        return is_new and self.store.allows("pause")


@blueprint.get("/stores/<name>")
@requires("see")
def store(name: str) -> str:
    """Show one store."""
    return render_template("store.html", view=load_store_view(get_my_store(name)))


@blueprint.get("/stores/<name>/latest")
@requires("see")
def latest(name: str) -> str:
    """Render the changing part of a store's page, for its script."""
    return render_template("latest.html", view=load_store_view(get_my_store(name)))


@blueprint.get("/stores/<name>/hooks")
@requires("see")
def hooks(name: str) -> str:
    """List the hooks that Cratejoy should send, whether each is registered, and when it last came."""
    mine = get_my_store(name)
    with reading(get_context().engine) as conn:
        return render_template(
            "hooks.html",
            store=mine,
            cratejoy=load_cratejoy_status(conn, mine.store_id),
            last=_find_last_hooks(conn, mine.store_id),
            wanted=HOOKS_WANTED,
            events_known=sorted(EVENTS),
        )


def load_store_view(store: VisibleStore) -> StoreView:
    """Load a store."""
    now, store_id = get_context().now(), store.store_id
    with reading(get_context().engine) as conn:
        figures = load_store_figures(conn, [store_id], now)[store_id]
        cratejoy = load_cratejoy_status(conn, store_id)
        customers = load_backfill_view(conn, store_id, now, can_act=store.allows("pause"))
        standing = load_standings(conn, [store_id], now)[store_id]
        facts = load_facts(conn, store, standing, figures, customers.progress)
        first_run = load_first_run(conn, store_id, cratejoy, customers, now)
        today = now // DAY_US * DAY_US
        return StoreView(
            store=store,
            facts=facts,
            verdict=judge(facts, now),
            cards=[
                build_card(build_known_item(row, now), can_act=row.store_id is not None and store.allows("pause"))
                for row in facts.standing.alarms
                if row.kind in REMEDIES
            ],
            cratejoy=cratejoy,
            customers=customers,
            missed=load_missed_hooks(conn, store.name, now),
            dead_hooks=_count_dead_hooks(conn, store.name),
            sent_today=load_flow(conn, [store_id], today, now, "hour").total.sent,
            today=today,
            chart=_load_chart(conn, store_id, figures, now),
            rows=load_newest_rows(conn, store_id, EVENTS_SHOWN, now),
            first_run=first_run,
            first_event=load_row(conn, first_run.event_id, now) if first_run and first_run.event_id else None,
            consent=load_consent_view(conn, get_store(conn, store_id) or abort(404)),
            removal=find_removal(conn, store_id),
        )


def _load_chart(conn: Connection, store_id: int, figures: StoreFigures, now: int) -> list[ChartHour]:
    end = now // HOUR_US + 1
    hours = range(end - HOURS_SHOWN, end)
    usual = load_usual_hours(conn, store_id, hours.start, hours.stop)
    numbers = zip(hours, figures.events_by_hour, strict=True)
    return [ChartHour(hour * HOUR_US, number, usual.get(hour)) for hour, number in numbers]


def _count_dead_hooks(conn: Connection, store: str) -> int:
    query = select(func.count()).select_from(DeadHook).where(DeadHook.replayed_at.is_(None), DeadHook.store == store)
    return conn.execute(query).scalar_one()


def _find_last_hooks(conn: Connection, store_id: int) -> dict[str, int]:
    """Event -> when its last hook came (µs); an index finds each."""
    found = {}
    for name in sorted(EVENTS):
        query = select(Event.received_at).where(Event.store_id == store_id, Event.name == name)
        at = conn.execute(query.order_by(Event.id.desc()).limit(1)).scalar()
        if at is not None:
            found[name] = at
    return found
