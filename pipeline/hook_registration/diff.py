"""Compares the hooks registered at Cratejoy with those that should be there. Pure: touches nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.hook_registration.urls import HookTarget, TargetParser, get_host

Remedy = Literal["create", "update", "delete"]
Hook = Mapping[str, Any]  # as `schemas` loads one

# kind -> what a human reads
FINDING_TEXTS = {
    "missing": "no hook tells us of this event",
    "disabled": "the hook is switched off",
    "old_token": "the hook's address has a token of another version",
    "misdirected": "the hook's address is that of another event",
    "moved": "the hook leads to another address of ours",
    "wrong_type": "the hook is not sent as POST",
    "duplicate": "another hook of ours tells us of the same event",
    "unwanted": "the store is disconnected, and the hook is still there",
    "unknown_event": "a hook of ours for an event this version does not know",
    "foreign": "a hook of somebody else",
    "unreadable": "a hook that cannot be read",
    "unlisted": "Cratejoy counts more hooks than it lists",
    "unreachable": "Cratejoy cannot reach this machine: set CRATEWIRE_PUBLIC_URL",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about one hook. `remedy` None: it is not ours to mend."""

    kind: str
    event: str | None = None
    hook_id: int | None = None
    host: str | None = None
    remedy: Remedy | None = None


@dataclass(frozen=True, slots=True)
class _OwnHook:
    hook: Hook
    target: HookTarget


def diff_hooks(
    registered: Sequence[Hook], wanted: Mapping[str, str], parse_target: TargetParser, token_version: int
) -> list[Finding]:
    """Everything that is not as it should be. `wanted`: event -> its address, with a token of this version.

    What is missing and what can be changed comes before what goes, so that no event is ever without its hook.
    """
    mine: dict[str, list[_OwnHook]] = defaultdict(list)
    others: list[Finding] = []
    for hook in registered:
        target = parse_target(hook.get("target") or "")
        if target is None:
            others.append(_build_finding("foreign", hook))
        elif not wanted:
            others.append(_build_finding("unwanted", hook, "delete"))
        elif hook.get("event") not in wanted:
            others.append(_build_finding("unknown_event", hook))
        else:
            mine[str(hook["event"])].append(_OwnHook(hook, target))
    return [*_check_kept_hooks(mine, wanted, token_version), *_find_duplicates(mine, wanted), *others]


def _check_kept_hooks(
    own_hooks: Mapping[str, list[_OwnHook]], wanted: Mapping[str, str], version: int
) -> list[Finding]:
    """What is wrong with the one hook each event keeps."""
    found = []
    for event, url in wanted.items():
        if not own_hooks.get(event):
            found.append(Finding("missing", event, remedy="create"))
        elif kind := _find_fault_kind(_choose_hook_to_keep(own_hooks[event], url), url, version):
            found.append(_build_finding(kind, _choose_hook_to_keep(own_hooks[event], url).hook, "update"))
    return found


def _find_duplicates(own_hooks: Mapping[str, list[_OwnHook]], wanted: Mapping[str, str]) -> list[Finding]:
    return [
        _build_finding("duplicate", one.hook, "delete")
        for event, several in own_hooks.items()
        for one in several
        if one is not _choose_hook_to_keep(several, wanted[event])
    ]


def _choose_hook_to_keep(several: Sequence[_OwnHook], url: str) -> _OwnHook:
    """The one to keep: one that is right already, else the oldest."""
    return min(several, key=lambda one: (one.hook.get("target") != url, one.hook.get("enabled") is False, _get_id(one)))


def _find_fault_kind(one: _OwnHook, url: str, version: int) -> str | None:
    if one.hook.get("target") != url:
        if one.target.version != version:
            return "old_token"
        return "moved" if one.target.event == one.hook.get("event") else "misdirected"
    if (one.hook.get("request_type") or "POST").upper() != "POST":
        return "wrong_type"
    return "disabled" if one.hook.get("enabled") is False else None


def _get_id(one: _OwnHook) -> int:
    return one.hook.get("id") or 0


def _build_finding(kind: str, hook: Hook, remedy: Remedy | None = None) -> Finding:
    return Finding(kind, hook.get("event"), hook.get("id"), get_host(hook.get("target") or ""), remedy)
