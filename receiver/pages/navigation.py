"""The header of every page: where one can go, and where one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, request, url_for
from flask_security import current_user

from pipeline.ledger.engine import reading
from receiver.pages.attention.access import count_waiting
from receiver.pages.auth.permissions import list_my_stores
from receiver.pages.db_session import get_context

# The text of a link, the page behind it, and the blueprints whose pages are found there. Orders come with a warehouse.
_PLACES: Sequence[tuple[str, str, frozenset[str]]] = (
    (
        "Overview",
        "home.show",
        frozenset(
            {"home", "connect", "backfills", "resuming", "store_settings", "store_removal", "own_test_event", "flow"}
        ),
    ),
    (
        "Activity",
        "activity.show",
        frozenset({"activity", "event", "unreadable", "asked", "saved_views", "samples", "search", "replays"}),
    ),
    ("People", "people.show_all", frozenset({"people"})),
    ("Needs attention", "attention.show", frozenset({"attention"})),
)
_ATTENTION = "attention.show"
_PEOPLE, _PEOPLE_OF_STORE = "people.show_all", "people.search"


@dataclass(frozen=True, slots=True)
class Place:
    """A link of the header. `is_here`: the value of aria-current, if one is there. `count`: what waits there."""

    text: str
    href: str
    is_here: str | None
    count: int = 0


def add_navigation(app: Flask) -> None:
    """Let the templates call `places()` and `has_page(endpoint)`."""

    @app.context_processor
    def add() -> dict[str, Any]:
        return {"places": list_places, "has_page": has_page}


def has_page(endpoint: str) -> bool:
    """Whether this installation has a page: a part of the pages may be off."""
    return endpoint in current_app.view_functions


def list_places() -> list[Place]:
    """The places of the header that exist for the current user."""
    return [
        Place(text, href, _find_here(endpoint, blueprints), _count_waiting(endpoint))
        for text, endpoint, blueprints in _PLACES
        if (href := _find_address(endpoint)) is not None
    ]


def _find_address(endpoint: str) -> str | None:
    if has_page(endpoint):
        return url_for(endpoint)
    if endpoint != _PEOPLE:
        return None
    store = next(iter(list_my_stores()), None)
    return url_for(_PEOPLE_OF_STORE, name=store.name) if store else None


def _find_here(endpoint: str, blueprints: frozenset[str]) -> str | None:
    if request.endpoint == endpoint:
        return "page"
    return "true" if request.blueprint in blueprints else None


def _count_waiting(endpoint: str) -> int:
    if endpoint != _ATTENTION or not current_user.is_authenticated:
        return 0
    with reading(get_context().engine) as conn:
        return count_waiting(conn)
