"""Renders the declaration of the settings as `.env.example` and as a table in the documents."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from pipeline.settings.variable import Variable

ENV_EXAMPLE = Path(".env.example")
CONFIGURATION = Path("docs/configuration.md")
_WIDTH = 118  # characters of a comment line in .env.example
_HEAD = (
    "Every setting of Cratewire. Copy to `.env` and uncomment what should differ; the values shown are the defaults, "
    "or examples where nothing is set by default. With none set, everything runs embedded: Valkey and SQLite, both "
    "under the data directory. This file is generated from pipeline/settings by `make settings`."
)
_TABLE = re.compile(r"(?<=<!-- settings: begin -->\n).*(?=<!-- settings: end -->)", re.DOTALL)
_LINK = re.compile(r"\[([^][]+)\]\(([^)(]+)\)")


def render_env_example(variables: Collection[Variable]) -> str:
    """The text of `.env.example`."""
    parts = [_comment(_HEAD)]
    for group, members in groupby(variables, key=attrgetter("group")):
        parts += [f"# ---- {group} ----", *map(_render_example, members)]
    return "\n\n".join(parts) + "\n"


def render_table(variables: Collection[Variable]) -> str:
    """The table of `docs/configuration.md`, in Markdown."""
    return "\n".join(["| variable | default | meaning |", "| --- | --- | --- |", *map(_render_row, variables)]) + "\n"


def replace_table(document: str, variables: Collection[Variable]) -> str:
    """The document with the table between its two markers rendered anew."""
    return _TABLE.sub(lambda _: render_table(variables), document)


def write_reference(root: Path, variables: Collection[Variable]) -> None:
    """Write both into a checkout."""
    (root / ENV_EXAMPLE).write_text(render_env_example(variables), encoding="utf-8")
    document = (root / CONFIGURATION).read_text(encoding="utf-8")
    (root / CONFIGURATION).write_text(replace_table(document, variables), encoding="utf-8")


def _render_row(row: Variable) -> str:
    unit = f" {row.unit}" if row.unit else ""
    default = (row.unset or "none") if row.default is None else f"`{row.default}`{unit}"
    summary = row.summary.replace("[docs/", "[").replace("](docs/", "](")  # the table is in that folder
    return f"| `{row.name}` | {default} | {summary} |"


def _render_example(row: Variable) -> str:
    unset = f"Unset: {row.unset or 'none'}." if row.default is None else f"Unit: {row.unit}." if row.unit else ""
    text = " ".join(part for part in (_LINK.sub(r"\2", row.summary), row.detail, unset) if part)
    return f"{_comment(text)}\n#{row.name}={row.example if row.default is None else row.default}"


def _comment(text: str) -> str:
    lines = textwrap.wrap(text, _WIDTH - 2, break_long_words=False, break_on_hyphens=False)
    return "\n".join(f"# {line}" for line in lines)
