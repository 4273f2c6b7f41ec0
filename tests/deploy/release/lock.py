"""Reads product.lock: what is installed, with the hashes that are accepted and the packages that ask for it."""

from __future__ import annotations

import re
from dataclasses import dataclass

ENTRY = re.compile(  # as `uv pip compile` writes it
    r"^(?P<name>[a-z0-9-]+)(?:\[\S+\])?==(?P<version>\S+)(?: ; (?P<marker>[^\\\n]+?))? \\\n"
    r"(?P<hashes>(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)"
    r"    # via\n(?P<via>(?:    #   .+\n)+)",
    re.MULTILINE,
)
PROJECT = "cratewire"
BUILD_BACK_END = "hatchling"


@dataclass(frozen=True)
class Pinned:
    name: str
    version: str
    marker: str | None  # on which Python or system it is installed; everywhere if None
    sha256: tuple[str, ...]
    asked_by: frozenset[str]


def read_lock(text: str) -> list[Pinned]:
    """Every entry; one that is not as expected is an error, and none is passed over."""
    entries = [_read_entry(found) for found in ENTRY.finditer(text)]
    if len(entries) != len(re.findall(r"(?m)^[^\s#]", text)):
        raise ValueError("product.lock has lines that are not understood; ENTRY says what is expected")
    return entries


def leave_out_build_only(entries: list[Pinned]) -> list[Pinned]:
    """Without the build back end and what only that asks for."""
    left_out = {BUILD_BACK_END}
    while more := {one.name for one in entries if one.asked_by <= left_out} - left_out:
        left_out |= more
    return [one for one in entries if one.name not in left_out]


def _read_entry(found: re.Match[str]) -> Pinned:
    asked_by = frozenset(
        re.findall(r"^    #   ([a-z0-9][a-z0-9-]*)(?: \(pyproject\.toml\))?$", found["via"], re.MULTILINE)
    )
    hashes = tuple(re.findall(r"sha256:([0-9a-f]+)", found["hashes"]))
    return Pinned(found["name"], found["version"], found["marker"], hashes, asked_by)
