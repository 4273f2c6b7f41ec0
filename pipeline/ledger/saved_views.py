"""The views of the activity feed that a user has saved. Inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from pipeline.core.errors import Misconfigured
from pipeline.core.names import check_name
from pipeline.ledger.schema.own_pages import SavedView
from pipeline.ledger.sql.tables import insert_into

MAX_VIEWS = 30  # of one user
MAX_NAME_CHARS = 60


@dataclass(frozen=True, slots=True)
class ViewRow:
    """A saved view. `query`: the parameters of its address."""

    id: int
    name: str
    query: dict[str, Any]
    is_default: bool


def list_views(conn: Connection, user_id: int) -> list[ViewRow]:
    """The views of a user, by name."""
    columns = SavedView.id, SavedView.name, SavedView.query, SavedView.is_default
    query = select(*columns).where(SavedView.user_id == user_id).order_by(SavedView.name)
    return [ViewRow(**row._asdict()) for row in conn.execute(query)]


def save_view(
    conn: Connection, user_id: int, name: str, query: Mapping[str, str], now: int, *, is_default: bool
) -> None:
    """Save a view; one of the same name is replaced. Raises Misconfigured if it may not be saved."""
    name = check_name(name, MAX_NAME_CHARS, f"a view needs a name of at most {MAX_NAME_CHARS} characters")
    others = select(func.count()).where(SavedView.user_id == user_id, SavedView.name != name)
    if conn.execute(others).scalar_one() >= MAX_VIEWS:
        raise Misconfigured(f"there are {MAX_VIEWS} views already: delete one first")
    if is_default:
        conn.execute(update(SavedView).where(SavedView.user_id == user_id).values(is_default=False))
    values = {"query": dict(query), "is_default": is_default, "created_at": now}
    statement = insert_into(conn, SavedView).values(user_id=user_id, name=name, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["user_id", "name"], set_=values))


def delete_view(conn: Connection, user_id: int, view_id: int) -> bool:
    """Delete a view of this user; False if they have none with this id."""
    mine = SavedView.user_id == user_id, SavedView.id == view_id
    return bool(conn.execute(delete(SavedView).where(*mine)).rowcount)
