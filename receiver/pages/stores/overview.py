"""The overview: how all the user's stores are doing, the worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import render_template, request
from flask_security import current_user
from sqlalchemy import Connection

from pipeline.backfill.progress import Progress, load_progress
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.connections import list_store_connections
from pipeline.ledger.engine import reading
from pipeline.ledger.queries.standings import STORE_STATES, StoreStanding, load_standings
from pipeline.ledger.queries.store_figures import StoreFigures, load_store_figures
from receiver.pages.auth.permissions import list_my_stores
from receiver.pages.charts import Sparkline, build_sparkline
from receiver.pages.connect.welcome import show_welcome
from receiver.pages.db_session import get_context
from receiver.pages.stores.blueprint import blueprint
from receiver.pages.stores.verdict import StoreFacts, Verdict, judge, say_how_all_are

PAGE_SIZE = 20
MIN_STORES_TO_SEARCH = 8
_SECOND_US = 1_000_000
_Place = tuple[int, str]  # how bad it is, and the name: the order of the list


@dataclass(frozen=True, slots=True)
class StoreCard:
    """A store in the overview."""

    store: VisibleStore
    verdict: Verdict
    figures: StoreFigures
    sparkline: Sparkline


@dataclass(frozen=True, slots=True)
class Overview:
    """A page of the overview. `after`: where the next page begins, None on the last."""

    headline: str
    cards: Sequence[StoreCard]
    after: str | None
    wanted: str
    is_searchable: bool
    total: int


@blueprint.app_context_processor
def add_weekday() -> dict[str, Any]:
    """Let the templates call `weekday()`: the name of today's, in UTC."""
    return {"weekday": lambda: datetime.fromtimestamp(get_context().now() / _SECOND_US, UTC).strftime("%A")}


@blueprint.get("/")
def show() -> str:
    """Show the user's stores, those that need attention first. Visitors see what this is, and how to begin."""
    if not current_user.is_authenticated:
        return show_welcome()
    wanted = request.args.get("q", "").strip()
    overview = load_overview(list_my_stores(), wanted, _parse_place(request.args.get("after", "")))
    return render_template("home.html", overview=overview)


def load_overview(stores: Sequence[VisibleStore], wanted: str, after: _Place | None) -> Overview:
    """The stores whose name or title contains `wanted`, from the one behind `after`, and a sentence about all."""
    now = get_context().now()
    with reading(get_context().engine) as conn:
        standings = load_standings(conn, [store.store_id for store in stores], now)
        found = [store for store in stores if wanted.casefold() in f"{store.name} {store.shown_name}".casefold()]
        ordered = sorted(found, key=lambda store: _get_place(store, standings))
        rest = [store for store in ordered if after is None or _get_place(store, standings) > after]
        page = rest[:PAGE_SIZE]
        cards = _load_cards(conn, page, standings, now)
    place = _get_place(page[-1], standings) if len(rest) > PAGE_SIZE else None
    return Overview(
        headline=say_how_all_are(standing.state for standing in standings.values()),
        cards=cards,
        after=None if place is None else f"{place[0]}.{place[1]}",
        wanted=wanted,
        is_searchable=len(stores) >= MIN_STORES_TO_SEARCH,
        total=len(stores),
    )


def load_facts(
    conn: Connection, store: VisibleStore, standing: StoreStanding, figures: StoreFigures, progress: Progress | None
) -> StoreFacts:
    """What the verdict about a store is made from. `progress`: of its newest backfill."""
    return StoreFacts(
        store.name,
        store.shown_name,
        standing,
        figures,
        list_store_connections(conn, store.store_id),
        progress,
        can_change=store.allows("change_settings"),
    )


def _load_cards(
    conn: Connection, stores: Sequence[VisibleStore], standings: Mapping[int, StoreStanding], now: int
) -> list[StoreCard]:
    figures = load_store_figures(conn, [store.store_id for store in stores], now)
    cards = []
    for store in stores:
        of_store, standing = figures[store.store_id], standings[store.store_id]
        progress = load_progress(conn, store.store_id, now) if standing.state != "working" else None
        facts = load_facts(conn, store, standing, of_store, progress)
        cards.append(StoreCard(store, judge(facts, now), of_store, build_sparkline(of_store.events_by_hour)))
    return cards


def _get_place(store: VisibleStore, standings: Mapping[int, StoreStanding]) -> _Place:
    return STORE_STATES.index(standings[store.store_id].state), store.name


def _parse_place(text: str) -> _Place | None:
    """Read `0.acme`; what cannot be read begins at the start."""
    state, dot, name = text.partition(".")
    return (int(state), name) if dot and state.isascii() and state.isdigit() and len(state) == 1 else None
