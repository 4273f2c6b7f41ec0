"""The roles of an account's members, and what each may do: the one table that pages, API and tests use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Role = Literal["owner", "operator", "reader"]
OWNER: Role = "owner"
OPERATOR: Role = "operator"
READER: Role = "reader"
ROLES: tuple[Role, ...] = get_args(Role)

# see: look at everything of the account's stores, people included.
# replay: send again, try again, read customers again, send a test event or a test alarm.
# pause: pause and resume connections and backfills, have saved keys tried again.
# set_aside: set aside what needs attention.
# see_audit_log: see who did what.
# change_settings: connect, change and remove stores, their keys and their switches.
# personal_data: export and erase a person.
# manage_members: invite and remove members, change their roles.
# manage_tokens: create and revoke tokens of the API.
Permission = Literal[
    "see",
    "replay",
    "pause",
    "set_aside",
    "see_audit_log",
    "change_settings",
    "personal_data",
    "manage_members",
    "manage_tokens",
]
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

_OF_READERS: frozenset[Permission] = frozenset({"see"})
_OF_OPERATORS: frozenset[Permission] = _OF_READERS | {"replay", "pause", "set_aside", "see_audit_log"}
ALLOWED: Mapping[Role, frozenset[Permission]] = {
    READER: _OF_READERS,
    OPERATOR: _OF_OPERATORS,
    OWNER: frozenset(PERMISSIONS),
}
ROLE_TEXTS: Mapping[Role, str] = {
    OWNER: "may do everything: connect stores, change keys and settings, invite people, export and erase a person",
    OPERATOR: "may see everything, send again, pause and resume, and set aside what needs attention",
    READER: "may see everything and change nothing",
}


def is_allowed(role: Role, permission: Permission) -> bool:
    """Whether members with this role may do this."""
    return permission in ALLOWED[role]
