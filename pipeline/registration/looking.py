"""Lists a store's hooks at Cratejoy and says what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.cratejoy.paging import whole
from pipeline.registration.care import Care, Ward
from pipeline.registration.comparing import Finding, compare
from pipeline.registration.urls import host_of, reaches, recogniser


@dataclass(frozen=True, slots=True)
class Looked:
    """Everything that is registered, and everything that is not as it should be."""

    hooks: list[dict[str, Any]]
    findings: list[Finding]


def look(care: Care, ward: Ward) -> Looked:
    """Raises what the store's API does."""
    listed = whole(ward.api, "hooks")
    hooks = [hook for page in listed.pages for hook in page.results]
    unreadable = [Finding("unreadable", hook_id=bad.id) for page in listed.pages for bad in page.bad]
    if listed.uncounted:
        unreadable.append(Finding("unlisted"))
    if ward.row.registers and not reaches(care.public_url, ward.api_url):
        # Perhaps a copy of an installation on somebody's desk: its hooks lead to the real one, and shall.
        return Looked(hooks, [Finding("unreachable", host=host_of(care.public_url)), *unreadable])
    recognise = recogniser(care.secret_keys, care.public_url, ward.store.name)
    wanted = ward.urls if ward.row.registers else {}
    return Looked(hooks, [*compare(hooks, wanted, recognise, ward.store.token_version), *unreadable])
