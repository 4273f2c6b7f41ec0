"""Finds retired words in our own text: names, comments, strings, templates and documents.

`python -m tests.documents.retired_words [FOLDER …]` prints each place on a line of its own.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SUFFIXES = {
    ".py",
    ".md",
    ".html",
    ".txt",
    ".lua",
    ".js",
    ".css",
    ".yml",
    ".toml",
    ".service",
    ".target",
    ".example",
    "",
}

# retired word -> what to write
RETIRED = {
    "whoever": "the role: the operator, the caller, the lease holder",
    "whomever": "the role: the operator, the caller, the lease holder",
    "somebody": "a person, a user, a process",
    "nobody": "no person, no user, no process",
    "everybody": "all users, every process",
    "telling": "reporting, notifying",
    "hearing": "monitoring status",
    "hears": "receives",
    "keyhole": "secret key check",
    "crowd": "rate limit, visitors",
    "troupe": "processes",
    "mailroom": "delivery builder",
    "casting": "resolving people",
    "story": "event candidate",
    "stories": "event candidates",
    "herald": "webhook sender",
    "told": "sent, reported, notified",
    "tell": "send, report, notify",
    "tells": "sends, reports, notifies",
    "heard": "received",
}

# Persisted values and public names that keep their spelling -> why.
EXCEPTIONS = {
    r"[\"'`](told|happenings)[\"'`]|api_writes_tell|--told": "JSON keys, a switch and an option of the sandbox store",
    r"Tell us what you like": "the title of a survey at the sandbox store",
    r"body\.tell\(\)": "a file's own method",
    r"happening  (?=order_new)": "a label that `cratewire events show` prints",
    r"plan\.seed\} story": "what the sandbox store's random numbers are seeded with",
    r"stores_telling": "a key in the figures of the bench",
    r"told_at|renewals_told|heard_hours": "columns",
    r"(cratewire_)?shown_happenings": "a table and a metric",
    r"[\"'`]nobody[\"'`]": "the stored outcome of an event that concerns no known person",
    r"[\"'`]happening[\"'`]": "a column and a JSON key",
}

# Files that must spell the words.
EXCLUDED = {
    "tests/documents/retired_words.py",
    "tests/contracts/public_names.json",
    "bench/house.py",
    "docs/decisions/0009-the-house.md",
}


class Place(NamedTuple):
    """Where a retired word stands."""

    path: str
    line: int
    word: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.word}: write {RETIRED[self.word]}"


def find_retired_words(root: Path = ROOT, folders: tuple[str, ...] = ()) -> Iterator[Place]:
    """Search the committed text files, or those under some folders."""
    command = ["git", "ls-files", "-z", "--", *folders]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    for path in filter(None, listed.split("\0")):
        if path not in EXCLUDED and Path(path).suffix in SUFFIXES and (root / path).is_file():
            yield from _search_text(path, (root / path).read_text(encoding="utf-8", errors="replace"))


_EXCEPTED = re.compile("|".join(EXCEPTIONS))
_WORD_STARTS_IN_CAMEL_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_RETIRED = re.compile(rf"(?<![A-Za-z])({'|'.join(RETIRED)})(?![A-Za-z])", re.IGNORECASE)


def _search_text(path: str, text: str) -> Iterator[Place]:
    for number, line in enumerate(text.splitlines(), start=1):
        words = _WORD_STARTS_IN_CAMEL_CASE.sub("_", _EXCEPTED.sub("", line))
        for word in map(str.lower, _RETIRED.findall(words)):
            yield Place(path, number, word)


if __name__ == "__main__":
    for place in find_retired_words(folders=tuple(sys.argv[1:])):
        sys.stdout.write(f"{place}\n")
