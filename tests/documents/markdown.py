"""Reads the tables and samples of the documents."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def read_document(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def parse_tables(text: str) -> list[list[list[str]]]:
    """Every table as its rows of cells, without header and rule."""
    found: list[list[list[str]]] = []
    for block in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in block.splitlines()]
        found.append(rows[2:])
    return found


def get_section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    rest = text.split(f"\n{heading}\n", 1)[1]
    return re.split(rf"\n#{{1,{level}}} ", rest, maxsplit=1)[0] + "\n"


def get_code_names(rows: list[list[str]], column: int = 0) -> list[str]:
    """The names in code marks of a column, several to a cell."""
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row[column])]


def parse_samples(text: str) -> dict[str, Any]:
    """Heading -> the JSON under it."""
    parts = (part.split("\n", 1) for part in text.split("\n### ")[1:])
    return {heading: json.loads(rest.split("```json\n", 1)[1].split("```", 1)[0]) for heading, rest in parts}
