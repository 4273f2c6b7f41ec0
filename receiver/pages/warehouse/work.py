"""What pages show of the work that people ask for, such as a freeze or an export: its state, and who asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.ledger.accounts import VisibleStore, list_members
from pipeline.ledger.fulfilment.work import WorkRow

STATES: Mapping[str, tuple[str, str]] = {
    "previewed": ("needs_you", "waits for you"),
    "waiting": ("catching_up", "waits for a worker"),
    "running": ("catching_up", "is being done"),
    "done": ("working", "done"),
    "failed": ("needs_you", "failed"),
}


@dataclass(frozen=True, slots=True)
class People:
    """The members of an account by id, for the names of those who asked."""

    emails: Mapping[int, str]

    def name(self, user_id: int | None, via: str = "") -> str:
        """Who it was, in words."""
        if user_id is None:
            return "the API" if via == "api" else "the command line"
        return self.emails.get(user_id, "a former member")


@dataclass(frozen=True, slots=True)
class WorkView:
    """A piece of work as a page shows it."""

    row: WorkRow
    asked_by: str

    @property
    def look(self) -> tuple[str, str]:
        """The kind of its mark, and its words."""
        return STATES[self.row.state]

    @property
    def waits_until(self) -> int | None:
        """When it goes on, if it waits (µs)."""
        return self.row.next_turn_at if self.row.state == "running" and self.row.reason else None


def load_people(conn: Connection, store: VisibleStore) -> People:
    """The members of the store's account."""
    return People({member.user_id: member.email for member in list_members(conn, store.account_id)})


def show_work(row: WorkRow | None, people: People) -> WorkView | None:
    """The work as a page shows it; None if there is none."""
    return None if row is None else WorkView(row, people.name(row.user_id, row.via))
