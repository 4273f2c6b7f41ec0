"""What a merchant sees of their stores: how each stands, and what happened last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_security import auth_required, current_user

from pipeline.ledger.accounts import OWNER, Seen
from pipeline.ledger.engine import reading
from pipeline.ledger.reading import (
    ConnectionCounts,
    EventCounts,
    EventFilter,
    EventListed,
    event_counts,
    list_events,
    status_counts,
)
from pipeline.ledger.silence.alarms import AlarmRow
from pipeline.pausing import by_platform
from pipeline.silence.hearing import hearing
from receiver.pages.backfills import CustomersShown, customers_shown
from receiver.pages.cratejoy_side import CratejoySide, cratejoy_side
from receiver.pages.missed import MissedShown, missed_shown
from receiver.pages.rights import my_store, my_stores
from receiver.pages.sessions import here

blueprint = Blueprint("home", __name__)

FEW, MANY = 5, 25


@dataclass(frozen=True, slots=True)
class StoreShown:
    """A store as a page shows it."""

    name: str
    role: str
    connections: list[ConnectionCounts]
    cratejoy: CratejoySide
    customers: CustomersShown
    missed: MissedShown | None
    alarms: Sequence[AlarmRow]
    counts: EventCounts
    events: list[EventListed]

    @property
    def can_be_resumed(self) -> bool:
        """Whether whoever looks may have saved keys tried again."""
        refused = any(by_platform(one.status_reason) for one in self.connections) or self.cratejoy.keys_refused
        return refused and self.role == OWNER

    @property
    def needs_somebody(self) -> bool:
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
    stores = sorted(shown(my_stores(), FEW), key=lambda one: not one.needs_somebody)
    return render_template("home.html", stores=stores)


@blueprint.get("/stores/<name>")
@auth_required("session")
def store(name: str) -> str:
    """One store."""
    [found] = shown([my_store(name)], MANY)
    return render_template("store.html", store=found)


@blueprint.get("/stores/<name>/latest")
@auth_required("session")
def latest(name: str) -> str:
    """What changes on a store's page, for the page's script."""
    [found] = shown([my_store(name)], MANY)
    return render_template("latest.html", store=found)


def shown(stores: list[Seen], events: int) -> list[StoreShown]:
    """These stores with their last events."""
    site = here()
    with reading(site.engine) as db:
        connections = status_counts(db, site.now()) if stores else []
        return [
            StoreShown(
                store.name,
                store.role,
                [one for one in connections if one.store == store.name],
                cratejoy_side(db, store.store_id),
                customers_shown(db, store.store_id, site.now(), mine=store.role == OWNER),
                missed_shown(db, store.name, site.now()),
                hearing(db, site.now(), store.store_id).alarms,
                event_counts(db, store.name),
                list_events(db, EventFilter(store=store.name), limit=events),
            )
            for store in stores
        ]
