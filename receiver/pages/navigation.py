"""The header of every page: where one can go, and where one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, request, url_for
from flask_security import current_user

from pipeline.ledger.engine import reading
from receiver.pages.attention.access import count_waiting
from receiver.pages.db_session import get_context

# The text of a link, the page behind it, and the blueprints whose pages are found there.
_PLACES: Sequence[tuple[str, str, frozenset[str]]] = (
    (
        "Overview",
        "home.show",
        frozenset(
            {
                *("home", "connect", "flow", "backfills", "own_test_event"),
                *("store_settings", "store_keys", "store_events", "store_connections", "store_removal"),
                *("warehouse", "warehouse_connect", "warehouse_settings"),
            }
        ),
    ),
    (
        "Activity",
        "activity.show",
        frozenset({"activity", "event", "unreadable", "asked", "samples", "search", "replays"}),
    ),
    ("People", "people.show_all", frozenset({"people"})),
    ("Needs attention", "attention.show", frozenset({"attention"})),
)
_ATTENTION = "attention.show"
_ACCOUNT, _OF_ACCOUNT = "account.show", frozenset({"account", "security", "tokens"})


@dataclass(frozen=True, slots=True)
class Place:
    """A link of the header. `is_here`: the value of aria-current, if one is there. `count`: what waits there."""

    text: str
    href: str
    is_here: str | None
    count: int = 0


def add_navigation(app: Flask) -> None:
    """Let the templates call `places()` and `account_place()`."""

    @app.context_processor
    def add() -> dict[str, Any]:
        return {"places": list_places, "account_place": build_account_place}


def list_places() -> list[Place]:
    """The places of the header."""
    return [
        Place(text, url_for(endpoint), _find_here(endpoint, blueprints), _count_waiting(endpoint))
        for text, endpoint, blueprints in _PLACES
    ]


def build_account_place() -> Place:
    """The place in the menu of the user."""
    return Place("Account", url_for(_ACCOUNT), _find_here(_ACCOUNT, _OF_ACCOUNT))


def _find_here(endpoint: str, blueprints: frozenset[str]) -> str | None:
    if request.endpoint == endpoint:
        return "page"
    return "true" if request.blueprint in blueprints else None


def _count_waiting(endpoint: str) -> int:
    if endpoint != _ATTENTION or not current_user.is_authenticated:
        return 0
    with reading(get_context().engine) as conn:
        return count_waiting(conn)
