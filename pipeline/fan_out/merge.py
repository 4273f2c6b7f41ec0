"""Merges facts so that the order of processing does not matter: newest field wins, ties go to the larger value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipeline.fan_out.facts import Fact

Stamped = dict[str, list[Any]]  # {field: [as_of µs, value]}
Known = dict[tuple[str, str], Stamped]  # {(kind, subject): …}: all facts of one person


def merge(known: Known, fact: Fact, as_of: int) -> bool:
    """Merge one fact into what is known of a person; True if anything changed. `known` is changed in place."""
    mine = known.setdefault((fact.kind, fact.subject), {})
    changed = False
    for name, value in fact.fields.items():
        if name not in mine or _newer(as_of, value, *mine[name]):
            mine[name] = [as_of, value]
            changed = True
    return changed


def values(stamped: Mapping[str, list[Any]]) -> dict[str, Any]:
    """The fields without their moments."""
    return {name: pair[1] for name, pair in stamped.items()}


def known_at(known: Known) -> int:
    """The newest moment of anything known; 0 for nothing."""
    return max((pair[0] for stamped in known.values() for pair in stamped.values()), default=0)


def _newer(as_of: int, value: Any, mine_as_of: int, mine: Any) -> bool:
    if as_of != mine_as_of:
        return as_of > mine_as_of
    return json.dumps(value, sort_keys=True) > json.dumps(mine, sort_keys=True)
