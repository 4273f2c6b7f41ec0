"""The audit log: who did what to which store, from a page, a command or the API. It holds ids, and no personal data.

Write an action in the transaction that does it, so that there is neither one without the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, insert, select

from pipeline.ledger.schema.audit import AuditEntry
from pipeline.ledger.schema.core import Store

Via = Literal["page", "command", "api"]
About = Mapping[str, int | str | Sequence[int | str] | None]
MAX_IDS = 100  # in one list; more are a count
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}")  # no address, and no sentence of a person

# action -> what it says after who did it
ACTIONS: Mapping[str, str] = {
    "account.invited": "invited a person",
    "account.invitation_withdrawn": "withdrew an invitation",
    "account.joined": "joined",
    "account.role_changed": "changed a role",
    "account.member_removed": "removed a member",
    "account.second_factor_removed": "removed the second factor of a user",
    "attention.set_aside": "set something aside",
    "attention.acted": "pressed a button of what needs attention",
    "attention.brought_back": "brought back what was set aside",
    "backfill.started": "had all customers read again",
    "backfill.paused": "paused the reading of customers",
    "backfill.resumed": "resumed the reading of customers",
    "backfill.cancelled": "cancelled the reading of customers",
    "connection.key_changed": "changed a key of a platform",
    "connection.paused": "paused what is sent to a platform",
    "connection.resumed": "resumed what is sent to a platform",
    "connection.saved": "connected a platform, or connected it again",
    "connection.mapping_changed": "changed what a connection gets, and under which names",
    "connection.people_started": "began to send the people there are over a connection",
    "connection.people_stopped": "stopped sending the people there are over a connection",
    "connection.renamed": "changed the title of a connection",
    "delivery.repeated": "delivered a message again",
    "event.retried": "tried an event again",
    "hooks.registered": "had the hooks registered at Cratejoy",
    "hooks.removed": "had the hooks removed at Cratejoy",
    "hooks.rotated": "changed the hook URLs",
    "person.erased": "erased a person",
    "person.exported": "exported a person",
    "person.released": "sent what was withheld about a person",
    "rehearsal.accepted": "accepted what a rehearsal has found",
    "replay.started": "started a replay",
    "replay.stopped": "stopped a replay",
    "sample.saved": "saved a sample",
    "sample.deleted": "deleted a sample",
    "store.connected": "connected the store",
    "store.consent_changed": "changed whose data is sent",
    "store.events_changed": "changed which events are sent",
    "store.key_changed": "changed a key of Cratejoy",
    "store.removal_asked": "asked for the removal of the store",
    "store.removal_called_off": "called off the removal of the store",
    "store.resumed": "had the keys of Cratejoy tried again",
    "store.renamed": "changed the title of the store",
    "test_alarm.sent": "sent a test alarm",
    "test_event.sent": "sent a test event",
    "box.dismiss_notice": "put away the notice of a box",
    "box.ignore": "left a box as it is",
    "box.mark_sent": "marked a box as sent",
    "box.release": "released a held box",
    "box.resend": "sent a box again",
    "box.retry": "had a box tried again",
    "box.write_tracking": "had the tracking of a box written",
    "batch.frozen": "froze a batch",
    "boxes.exported": "exported boxes as a file",
    "boxes.exported_again": "had a file of boxes written again",
    "boxes.imported": "imported tracking from a file",
    "tracking.attached": "attached tracking to a box",
    "tracking.dismissed": "dismissed tracking of no box",
    "warehouse.connected": "connected a warehouse",
    "warehouse.paused": "paused the warehouse",
    "warehouse.resumed": "resumed the warehouse",
    "warehouse.settings_changed": "changed the settings of the warehouse",
    "warehouse.went_live": "accepted the dry run of the warehouse",
    "token.created": "created a token of the API",
    "token.revoked": "revoked a token of the API",
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `user_id`: the user of the page, or whose token it is; a command has none."""

    via: Via
    user_id: int | None = None
    token_id: int | None = None


COMMAND_LINE_ACTOR = Actor("command")


def record_action(  # noqa: PLR0913 - a keyword for each column
    conn: Connection,
    *,
    account_id: int,
    actor: Actor,
    action: str,
    at: int,
    store_id: int | None = None,
    about: About | None = None,
) -> int:
    """Write one action and return its id. `about`: ids, counts and codes by name: {"person": 12, "messages": 64}.

    Raise ValueError for an action that is not in ACTIONS, and ValueError or TypeError for what could be personal data.
    """
    if action not in ACTIONS:
        raise ValueError(f"{action} is no action of the audit log")
    kept = {name: value for name, value in (about or {}).items() if value is not None}
    for name, value in kept.items():
        _require_id(name, value)
    values = {"via": actor.via, "user_id": actor.user_id, "token_id": actor.token_id, "action": action, "about": kept}
    statement = insert(AuditEntry).values(account_id=account_id, store_id=store_id, at=at, **values)
    return conn.execute(statement.returning(AuditEntry.id)).scalar_one()


def record_store_action(
    conn: Connection, store_id: int, actor: Actor, action: str, at: int, about: About | None = None
) -> int:
    """Write one action about a store into the log of its account; `about` and errors as for `record_action`."""
    account_id = conn.execute(select(Store.account_id).where(Store.id == store_id)).scalar_one()
    return record_action(conn, account_id=account_id, actor=actor, action=action, store_id=store_id, about=about, at=at)


def _require_id(name: str, value: object) -> None:
    """Raise ValueError or TypeError unless the value is a number, a code, or a short list of these."""
    if isinstance(value, str):
        if not _CODE.fullmatch(value):
            raise ValueError(f"{name} of an action is no id and no code")
    elif isinstance(value, Sequence):
        if len(value) > MAX_IDS:
            raise ValueError(f"{name} of an action has more than {MAX_IDS} ids: give their count")
        for item in value:
            _require_id(name, item)
    elif not isinstance(value, int):
        raise TypeError(f"{name} of an action is no id and no code")
