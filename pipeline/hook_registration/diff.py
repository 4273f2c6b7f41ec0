"""Compares the hooks that are registered at Cratejoy with those that should be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.hook_registration.urls import HookTarget, TargetParser, get_host

Remedy = Literal["create", "update", "delete"]
Hook = Mapping[str, Any]  # as `schemas` loads one

# kind -> text for people
FINDING_TEXTS = {
    "missing": "no hook is registered for this event",
    "disabled": "the hook is switched off",
    "old_token": "the hook's URL has a token of another version",
    "misdirected": "the hook's URL is that of another event",
    "moved": "the hook leads to another host of ours",
    "wrong_type": "the hook is not sent as POST",
    "duplicate": "another hook of ours is registered for the same event",
    "unwanted": "the store is disconnected, and the hook is still there",
    "unknown_event": "a hook of ours for an event this version does not know",
    "foreign": "a hook that is not ours",
    "unreadable": "a hook that cannot be read",
    "unlisted": "Cratejoy counts more hooks than it lists",
    "unreachable": "Cratejoy cannot reach this machine: set CRATEWIRE_PUBLIC_URL",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one hook. `remedy` None: it is not ours to fix."""

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
    registered: Sequence[Hook], wanted_urls: Mapping[str, str], parse_target: TargetParser, token_version: int
) -> list[Finding]:
    """Everything that is wrong. `wanted_urls`: event -> its URL, with a token of this version.

    Hooks to create and to change come before those to delete, so that no event is without a hook meanwhile.
    """
    own_hooks: dict[str, list[_OwnHook]] = defaultdict(list)
    others: list[Finding] = []
    for hook in registered:
        target = parse_target(hook.get("target") or "")
        if target is None:
            others.append(_build_finding("foreign", hook))
        elif not wanted_urls:
            others.append(_build_finding("unwanted", hook, "delete"))
        elif hook.get("event") not in wanted_urls:
            others.append(_build_finding("unknown_event", hook))
        else:
            own_hooks[str(hook["event"])].append(_OwnHook(hook, target))
    return [
        *_check_kept_hooks(own_hooks, wanted_urls, token_version),
        *_find_duplicates(own_hooks, wanted_urls),
        *others,
    ]


def _check_kept_hooks(
    own_hooks: Mapping[str, list[_OwnHook]], wanted_urls: Mapping[str, str], version: int
) -> list[Finding]:
    """What is wrong with the hook that each event keeps."""
    findings = []
    for event, url in wanted_urls.items():
        if not own_hooks.get(event):
            findings.append(Finding("missing", event, remedy="create"))
            continue
        kept = _choose_hook_to_keep(own_hooks[event], url)
        if kind := _find_fault_kind(kept, url, version):
            findings.append(_build_finding(kind, kept.hook, "update"))
    return findings


def _find_duplicates(own_hooks: Mapping[str, list[_OwnHook]], wanted_urls: Mapping[str, str]) -> list[Finding]:
    return [
        _build_finding("duplicate", own.hook, "delete")
        for event, candidates in own_hooks.items()
        for own in candidates
        if own is not _choose_hook_to_keep(candidates, wanted_urls[event])
    ]


def _choose_hook_to_keep(candidates: Sequence[_OwnHook], url: str) -> _OwnHook:
    """The hook that is right already, else the oldest."""

    def rank(own: _OwnHook) -> tuple[bool, bool, int]:
        return own.hook.get("target") != url, own.hook.get("enabled") is False, own.hook.get("id") or 0

    return min(candidates, key=rank)


def _find_fault_kind(own: _OwnHook, url: str, version: int) -> str | None:
    if own.hook.get("target") != url:
        if own.target.version != version:
            return "old_token"
        return "moved" if own.target.event == own.hook.get("event") else "misdirected"
    if (own.hook.get("request_type") or "POST").upper() != "POST":
        return "wrong_type"
    return "disabled" if own.hook.get("enabled") is False else None


def _build_finding(kind: str, hook: Hook, remedy: Remedy | None = None) -> Finding:
    return Finding(kind, hook.get("event"), hook.get("id"), get_host(hook.get("target") or ""), remedy)
