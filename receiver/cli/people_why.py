"""`cratewire people why`: why an event was sent about a person, or was not. And the same answers in `people show`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.padding import Padding
from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured
from pipeline.events.catalogue import is_known_event
from pipeline.events.money import format_money
from pipeline.events.sentences import join_parts
from pipeline.ledger.engine import reading
from pipeline.ledger.queries import find_people, get_event
from pipeline.ledger.queries.person_events import EventsAsked
from pipeline.ledger.stores import StoreRow, find_store
from pipeline.people.causes import Verdict
from pipeline.people.timeline import PersonPage, TimelineItem, Why, answer_why, load_items, load_person_page
from receiver.cli.context import TimeType, data_option, is_row_id, open_context
from receiver.cli.output import format_short_time, json_option, report_errors, show, styled


@dataclass(frozen=True, slots=True)
class PersonAnswer:
    """One person, and what is answered about them."""

    store: StoreRow
    page: PersonPage
    why: Why


@click.command(name="why", epilog="Example: cratewire people why robin@example.com order_new")
@click.argument("wanted", metavar="ADDRESS|ID")
@click.argument("event", metavar="[EVENT]", required=False)
@click.option("--store", help="Only in this store.")
@click.option("--since", type=TimeType(), metavar="DAY", help="Only since this day or time (UTC), e.g. 2026-11-30.")
@data_option
@json_option
@report_errors
def why_command(
    wanted: str, event: str | None, store: str | None, since: int | None, data: Path | None, as_json: bool
) -> None:
    """Say why an event was sent about a person, or was not.

    EVENT is a name such as order_new, or one event by its id, ULID or receipt. Without it, the newest events are
    answered for. What became no event is shown too: orders whose hook never came, and hooks that could not be read.
    """
    with open_context(data) as context, reading(context.engine) as conn:
        now = context.now()
        if event is not None and not is_known_event(event):
            answers = _answer_event(conn, load_people(conn, wanted, store, now), event, now)
        else:
            asked = EventsAsked(event, since)
            answers = [
                PersonAnswer(row, page, answer_why(conn, row, page.detail.id, asked, format_money, now))
                for row, page in load_people(conn, wanted, store, now)
            ]
    show(
        [describe_answer(answer) for answer in answers],
        as_json=as_json,
        render=lambda console: _print_answers(console, answers),
    )


def load_people(conn: Connection, wanted: str, store: str | None, now: int) -> list[tuple[StoreRow, PersonPage]]:
    """The people with this address or id, each with their store. Raises Misconfigured if there is none."""
    found = []
    for person in find_people(conn, wanted):
        row = find_store(conn, person.store) if store in (None, person.store) else None
        page = load_person_page(conn, row, person.id, now) if row else None
        if row and page:
            found.append((row, page))
    if not found:
        raise Misconfigured("no person has that address or id")
    return found


def describe_answer(answer: PersonAnswer) -> dict[str, Any]:
    """The answer as JSON. Times are µs."""
    why = answer.why
    return {
        "person": answer.page.detail.id,
        "store": answer.store.name,
        "events": [_describe_item(item) for item in (*why.events, *why.unlinked)],
        "missing": [describe_verdict(verdict) for verdict in why.missing],
        "unreadable": [{"dead_hook": hook.dead_hook_id, **describe_verdict(hook.verdict)} for hook in why.unreadable],
        "hints": list(answer.page.hints),
    }


def describe_verdict(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON: its cause, and its sentence."""
    return {"cause": verdict.cause, "platform": verdict.platform, "sentence": verdict.sentence}


def describe_page(page: PersonPage) -> dict[str, Any]:
    """What `people show --json` adds to a person: earlier values, consent, gifts and hints. Times are µs."""
    return {
        "headline": " · ".join(page.headline),
        "history": [
            {
                "attribute": history.name,
                "values": [asdict(value) for value in (history.now, *history.earlier)],
            }
            for history in page.histories
        ],
        "consent": asdict(page.consent),
        "gifts": asdict(page.gifts),
        "hints": list(page.hints),
    }


def print_items(console: Console, items: Iterable[TimelineItem]) -> None:
    """Each event in a sentence, and below it what became of it."""
    for item in items:
        shown = join_parts(item.event.sentence) if item.event else _describe_message(item)
        name = f"event {item.event.id}" if item.event else ""
        at = item.event.received_at if item.event else item.at
        console.print(styled(format_short_time(at), "dim"), f"{shown}.", styled(name, "dim"), highlight=False)
        print_verdicts(console, item.verdicts)


def print_verdicts(console: Console, verdicts: Sequence[Verdict]) -> None:
    """Their sentences, indented."""
    for verdict in verdicts:
        console.print(Padding(verdict.sentence, (0, 0, 0, 2), expand=False), highlight=False)


def _answer_event(
    conn: Connection, people: Sequence[tuple[StoreRow, PersonPage]], reference: str, now: int
) -> list[PersonAnswer]:
    """The answers for one event. People of other stores have the same address: they are left out."""
    found = get_event(conn, int(reference) if is_row_id(reference) else reference)
    mine = [(row, page) for row, page in people if found is not None and found.event.store == row.name]
    if found is None or not mine:
        raise Misconfigured(f"there is no event {reference}; give a name such as order_new, an id, a ULID or a receipt")
    asked, answers = EventsAsked(found.event.name), []
    for row, page in mine:
        items = load_items(conn, [found.event.id], page.detail.id, format_money, now)
        if items:
            why = Why(asked, tuple(items), has_more=False, missing=(), unreadable=(), unlinked=())
            answers.append(PersonAnswer(row, page, why))
    if not answers:
        ids = " or ".join(str(page.detail.id) for _, page in mine)
        raise Misconfigured(f"event {found.event.id} does not concern person {ids}")
    return answers


def _describe_item(item: TimelineItem) -> dict[str, Any]:
    event = item.event
    return {
        "event": event.id if event else None,
        "name": event.name if event else None,
        "sentence": join_parts(event.sentence) if event else None,
        "received_at": event.received_at if event else None,
        "verdicts": [describe_verdict(verdict) for verdict in item.verdicts],
    }


def _describe_message(item: TimelineItem) -> str:
    is_forget = item.message is not None and item.message.kind == "forget"
    return "Asked to be forgotten" if is_forget else "The profile was written anew, after reading Cratejoy's customers"


def _print_answers(console: Console, answers: Sequence[PersonAnswer]) -> None:
    for answer in answers:
        console.print(styled(answer.page.name, "bold"), f"of {answer.store.name}", highlight=False)
        print_items(console, (*answer.why.events, *answer.why.unlinked))
        if not answer.why.events and not answer.why.unlinked:
            console.print("No event like this concerns the person.")
        print_verdicts(console, [*answer.why.missing, *(hook.verdict for hook in answer.why.unreadable)])
        for hook in answer.why.unreadable:
            console.print(f"  cratewire dead show hook:{hook.dead_hook_id}", highlight=False)
        for hint in answer.page.hints:
            console.print(hint, highlight=False)
