"""Lists a store's hooks at Cratejoy and says what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.cratejoy.pagination import read_collection
from pipeline.hook_registration.diff import Finding, diff_hooks
from pipeline.hook_registration.store_hooks import StoreHooks, SyncContext
from pipeline.hook_registration.urls import build_target_parser, get_host, is_reachable_from


@dataclass(frozen=True, slots=True)
class HookAudit:
    """Everything that is registered, and everything that is not as it should be."""

    hooks: list[dict[str, Any]]
    findings: list[Finding]


def audit_hooks(context: SyncContext, store_hooks: StoreHooks) -> HookAudit:
    """Raises what the store's API does."""
    listed = read_collection(store_hooks.api, "hooks")
    hooks = [hook for page in listed.pages for hook in page.results]
    unreadable = [Finding("unreadable", hook_id=bad.id) for page in listed.pages for bad in page.bad]
    if listed.missing_count:
        unreadable.append(Finding("unlisted"))
    if store_hooks.row.registers and not is_reachable_from(context.public_url, store_hooks.api_url):
        # Perhaps a copy of an installation on somebody's desk: its hooks lead to the real one, and shall.
        return HookAudit(hooks, [Finding("unreachable", host=get_host(context.public_url)), *unreadable])
    recognise = build_target_parser(context.secret_keys, context.public_url, store_hooks.store.name)
    wanted = store_hooks.urls if store_hooks.row.registers else {}
    return HookAudit(hooks, [*diff_hooks(hooks, wanted, recognise, store_hooks.store.token_version), *unreadable])
