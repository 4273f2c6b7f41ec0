"""The first run of a store: what has to be in place before events arrive, and the first of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, select

from pipeline.ledger.backfills import DONE, FAILED, PAUSED, RUNNING, SHORT
from pipeline.ledger.queries.standings import NO_TEST, StoreState
from pipeline.ledger.schema.core import Event
from pipeline.monitoring.status import EndpointStatus, get_endpoint_status
from pipeline.operations.figures import HOOKS_WANTED
from receiver.pages.filters import duration, number, sentence, span
from receiver.pages.stores.backfills import BackfillView
from receiver.pages.stores.cratejoy import CratejoyStatus

SHOWN_FOR_US = 3_600_000_000  # after the first event
Subject = Literal["keys", "hooks", "endpoint", "customers", "event"]


@dataclass(frozen=True, slots=True)
class Step:
    """One line: what it is about, its state, and a sentence."""

    subject: Subject
    state: StoreState
    says: str


@dataclass(frozen=True, slots=True)
class FirstRun:
    """The lines, and the id of the first event once it has come."""

    steps: Sequence[Step]
    event_id: int | None

    @property
    def done(self) -> int:
        """How many lines are done."""
        return sum(step.state == "working" for step in self.steps)


def load_first_run(
    conn: Connection, store_id: int, cratejoy: CratejoyStatus, customers: BackfillView, now: int
) -> FirstRun | None:
    """The first run; None once the first event is an hour old. A test, of ours or of the shop, is not the first."""
    query = select(Event.id, Event.received_at).where(Event.store_id == store_id, NO_TEST)
    first = conn.execute(query.order_by(Event.id).limit(1)).one_or_none()
    if first is not None and first.received_at < now - SHOWN_FOR_US:
        return None
    steps = [
        *([] if cratejoy.state == "by hand" else [_describe_keys(cratejoy), _describe_hooks(cratejoy)]),
        _describe_endpoint(get_endpoint_status(conn, now), has_events=first is not None),
        *([] if cratejoy.state == "by hand" else [_describe_customers(customers)]),
        Step("event", "working", "The first event has come.")
        if first is not None
        else Step("event", "not_started", "Waiting for the first event from your shop …"),
    ]
    return FirstRun(steps, None if first is None else first.id)


def _describe_keys(cratejoy: CratejoyStatus) -> Step:
    if cratejoy.keys_refused:
        return Step("keys", "needs_you", f"Cratejoy refuses our keys. {' '.join(cratejoy.trouble)}")
    return Step("keys", "working", "Cratejoy takes our keys.")


def _describe_hooks(cratejoy: CratejoyStatus) -> Step:
    if cratejoy.audited_at is None:
        return Step("hooks", "catching_up", f"{HOOKS_WANTED} hooks are being registered at Cratejoy.")
    if cratejoy.state == "removed":
        return Step("hooks", "not_started", "The hooks at Cratejoy were removed, so no hook arrives.")
    registered = f"{cratejoy.hooks_registered} of {HOOKS_WANTED} hooks registered at Cratejoy."
    state: StoreState = (
        "working" if not cratejoy.faults else "catching_up" if cratejoy.state == "underway" else "needs_you"
    )
    return Step("hooks", state, registered)


def _describe_endpoint(status: EndpointStatus, *, has_events: bool) -> Step:
    if status.works is False:
        return Step("endpoint", "needs_you", f"Hooks cannot reach us: {sentence(status.fault or 'no answer')}")
    if status.works and status.took_us is not None:
        return Step("endpoint", "working", f"Hooks can reach us: our own test came back after {span(status.took_us)}.")
    if has_events or status.works:
        return Step("endpoint", "working", "Hooks can reach us.")
    return Step("endpoint", "catching_up", "Our own test is on its way: it shows whether hooks can reach us.")


_CUSTOMERS_STATE: dict[str, StoreState] = {
    DONE: "working",
    SHORT: "working",
    RUNNING: "catching_up",
    PAUSED: "not_started",
    FAILED: "needs_you",
}


def _describe_customers(customers: BackfillView) -> Step:
    progress = customers.progress
    if progress is None:
        return Step("customers", "not_started", "The shop's customers are not read yet.")
    total = "" if progress.customers_total is None else f" of {number(progress.customers_total)}"
    read = f"{number(progress.customers)}{total}"
    left = "" if progress.seconds_left is None else f", about {duration(progress.seconds_left)} left"
    says = {
        DONE: f"{read} customers read.",
        SHORT: f"{read} customers read.",
        RUNNING: f"Reading customers: {read}{left}.",
        PAUSED: f"Reading customers is paused at {read}.",
        FAILED: f"Reading customers failed at {read}.",
    }
    return Step(
        "customers",
        _CUSTOMERS_STATE.get(progress.state, "not_started"),
        says.get(progress.state, f"Reading customers was cancelled at {read}."),
    )
