"""What the address of a feed's page asks for. It can be kept as a bookmark, saved as a view and sent to a colleague."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast, get_args

from flask import abort, request

from pipeline.core.hooks import RECONCILE, REPLAY
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.queries import ActivityFilter, Show
from receiver.pages.addresses import read_id, read_time
from receiver.row_ids import parse_row_id

ALL = "all"  # of `show`: every event, although the user has a default view
PARAMETERS = ("store", "show", "event", "source", "person", "about", "since", "until", "replay")
SHOWN: list[tuple[str, str]] = [
    (ALL, "All"),
    ("waiting", "Waiting"),
    ("refused", "Could not be sent"),
    ("recovered", "Caught up"),
    ("tests", "Tests"),
]
SHOWN_BESIDES: dict[str, str] = {
    "sent": "At the platform",
    "kept": "Kept, not sent",
    "withheld": "Withheld",
    "repeats": "Reported again",
    "unreadable": "Could not be read",
}
SOURCES = {"hook": "came as a hook", RECONCILE: "caught up", REPLAY: "tried again"}
_SUBJECTS = ("order", "subscription", "shipment")


@dataclass(frozen=True, slots=True)
class Query:
    """What the address of a page asks for. `given`: its parameters, as links to other pages repeat them."""

    wanted: ActivityFilter
    before: int | None
    after: int | None
    given: dict[str, str]

    @property
    def shown(self) -> str:
        """What is shown of all events, as the address says it."""
        return self.wanted.show or ALL

    @property
    def is_narrowed(self) -> bool:
        return bool(self.given.keys() - {"show"}) or self.wanted.show is not None

    @property
    def replayable(self) -> dict[str, str]:
        """The parameters with which these events can be sent again."""
        return {name: value for name, value in self.given.items() if name != "replay"}

    @property
    def is_filtered(self) -> bool:
        """Whether a field of the filter's form is filled in."""
        return bool(self.given.keys() - {"show", "person", "about", "replay"}) or self.shown in SHOWN_BESIDES


def read_query(stores: Sequence[VisibleStore]) -> Query:
    """Read the address. A value that cannot be read is a 404, as is another account's store."""
    given = pick_parameters(request.args)
    mine = [store.store_id for store in stores if given.get("store") in (None, store.name)]
    if "store" in given and not mine:
        abort(404)
    return Query(
        read_filter(given, tuple(mine)),
        before=read_id(request.args.get("before")),
        after=read_id(request.args.get("after")),
        given=given,
    )


def read_filter(given: Mapping[str, str], store_ids: tuple[int, ...]) -> ActivityFilter:
    """Read the parameters of an address, or the fields of a form. A value that cannot be read is a 404."""
    shown = given.get("show") or ALL
    if shown != ALL and shown not in get_args(Show):
        abort(404)
    return ActivityFilter(
        store_ids=store_ids,
        show=None if shown == ALL else cast("Show", shown),
        name=given.get("event"),
        source=_read_choice(given.get("source")),
        person_id=read_id(given.get("person")),
        subject=_read_subject(given.get("about")),
        since=read_time(given.get("since")),
        until=read_time(given.get("until")),
        replay_id=read_id(given.get("replay")),
    )


def pick_parameters(values: Mapping[str, str]) -> dict[str, str]:
    """The parameters that narrow the feed, without the page of it."""
    return {name: value for name in PARAMETERS if (value := values.get(name))}


def _read_choice(source: str | None) -> str | None:
    return source if source is None or source in SOURCES else abort(404)


def _read_subject(text: str | None) -> tuple[str, int] | None:
    """Read what an event is about: `order:7001`."""
    if text is None:
        return None
    kind, _, number = text.partition(":")
    parsed = parse_row_id(number)
    return abort(404) if kind not in _SUBJECTS or parsed is None else (kind, parsed)
