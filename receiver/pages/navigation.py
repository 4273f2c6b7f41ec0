"""The header of every page: where one can go, and where one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, request, url_for
from flask_security import current_user

from pipeline.ledger.engine import reading
from pipeline.ledger.queries.boxes import count_boxes_that_need_a_person
from receiver.pages.attention.access import count_waiting
from receiver.pages.auth.permissions import list_my_stores
from receiver.pages.db_session import get_context

# The text of a link, the page behind it, and the blueprints whose pages are found there.
_PLACES: Sequence[tuple[str, str, frozenset[str]]] = (
    (
        "Overview",
        "home.show",
        frozenset(
            {
                *("home", "connect", "flow", "backfills", "own_test_event"),
                *(
                    "store_settings",
                    "store_keys",
                    "store_events",
                    "store_connections",
                    "store_mapping",
                    "store_rehearsals",
                    "store_removal",
                ),
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
_ORDERS = "orders.show"  # once a shop has a warehouse
_OF_ORDERS = frozenset({"orders", "tracking"})
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
    places = [
        Place(text, url_for(endpoint), _find_here(endpoint, blueprints), _count_waiting(endpoint))
        for text, endpoint, blueprints in _PLACES
    ]
    orders = _build_orders_place()
    return places if orders is None else [*places, orders]


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


def _build_orders_place() -> Place | None:
    """The boxes, with the number of those that wait for a person; None elsewhere before a warehouse is connected."""
    if not current_user.is_authenticated:
        return None
    store_ids = [store.store_id for store in list_my_stores()]
    with reading(get_context().engine) as conn:
        waiting = count_boxes_that_need_a_person(conn, store_ids)
    place = Place("Orders", url_for(_ORDERS), _find_here(_ORDERS, _OF_ORDERS), waiting or 0)
    return place if waiting is not None or place.is_here else None
