"""Reads LICENSES.txt: the scripts, styles, font and icons by others that are in the product's own folders."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

LICENSES = Path("receiver/pages/static/vendor/LICENSES.txt")
PAGES = LICENSES.parents[2]
HEADING = re.compile(
    r"^(?P<files>\S+(?: and \S+)*|The icons in \S+): (?:\w+, from )?"
    r"(?P<package>@?[a-z][\w./-]*) (?P<version>[\d.]+), (?P<site>https://\S+)$",
    re.MULTILINE,
)
SPDX = {  # by what the text of the licence says
    "SIL Open Font License, Version 1.1": "OFL-1.1",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "Zero-Clause BSD": "0BSD",
    "BSD Zero Clause License": "0BSD",
}


@dataclass(frozen=True)
class Vendored:
    package: str  # its name at npm
    version: str
    site: str
    files: tuple[Path, ...]  # from the root of the source
    licence: str  # an SPDX expression


def read_vendored(text: str) -> list[Vendored]:
    """Each section: a heading with the files, the package, its version and its site, then the text of the licence."""
    headings = list(HEADING.finditer(text))
    ends = [*(heading.start() for heading in headings[1:]), len(text)]
    return [_read_section(one, text[one.end() : end]) for one, end in zip(headings, ends, strict=True)]


def _read_section(heading: re.Match[str], licence_text: str) -> Vendored:
    found = {name for words, name in SPDX.items() if words in licence_text}
    if not found:
        raise ValueError(f"LICENSES.txt has no licence that SPDX names for {heading['package']}; add it to SPDX")
    files = tuple(
        PAGES / name if "/" in name else LICENSES.parent / name
        for name in heading["files"].removeprefix("The icons in ").split(" and ")
    )
    return Vendored(heading["package"], heading["version"], heading["site"], files, " AND ".join(sorted(found)))
