"""A JSON value as lines of text, each with the remark on its field; as many as a page can hold, whatever is in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from receiver.pages.filters import show_controls

MAX_LINES = 250
MAX_LINE_CHARS = 400
_MAX_DEPTH = 60  # the reader of hooks takes no deeper ones


@dataclass(frozen=True, slots=True)
class Line:
    """One line, and what there is to say about its field."""

    text: str
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class JSONLines:
    """The lines of a value; `is_cut`: it has more, or longer ones."""

    lines: list[Line]
    is_cut: bool

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


def build_json_lines(value: Any, remarks: Mapping[str, str] | None = None) -> JSONLines:
    """Return the lines of a value. `remarks`: dotted path of a field -> what to say at it.

    A field that is not in the value gets a line of its own at the end of the object that it belongs to.
    """
    found = list(islice(_walk(value, "", 0, remarks or {}, ""), MAX_LINES + 1))
    cut = [_cut(line) for line in found[:MAX_LINES]]
    return JSONLines(cut, len(found) > MAX_LINES or any(len(line.text) > MAX_LINE_CHARS for line in found))


def _cut(line: Line) -> Line:
    text = line.text if len(line.text) <= MAX_LINE_CHARS else f"{line.text[: MAX_LINE_CHARS - 1]}…"
    return Line(show_controls(text), line.remark)


def _walk(value: Any, path: str, depth: int, remarks: Mapping[str, str], label: str) -> Iterator[Line]:
    indent = "  " * depth
    if not isinstance(value, dict | list) or depth > _MAX_DEPTH:
        yield Line(f"{indent}{label}{_scalar(value)}", remarks.get(path))
        return
    pairs = value.items() if isinstance(value, dict) else ((str(index), item) for index, item in enumerate(value))
    missing = _find_missing(value, path, remarks)
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    if not value and not missing:
        yield Line(f"{indent}{label}{opening}{closing}", remarks.get(path))
        return
    yield Line(f"{indent}{label}{opening}", remarks.get(path))
    for key, item in pairs:
        name = f"{_scalar(key)}: " if isinstance(value, dict) else ""
        yield from _walk(item, _join(path, key), depth + 1, remarks, name)
    for key in missing:
        yield Line(f"{indent}  {_scalar(key)}: ", remarks[_join(path, key)])
    yield Line(f"{indent}{closing}")


def _find_missing(value: dict[str, Any] | list[Any], path: str, remarks: Mapping[str, str]) -> list[str]:
    """The fields with a remark that would stand in this object, and do not."""
    keys = (remark.rpartition(".") for remark in remarks)
    known = set(value) if isinstance(value, dict) else {str(index) for index in range(len(value))}
    return [key for parent, _, key in keys if parent == path and key not in known]


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _scalar(value: Any) -> str:
    if isinstance(value, str) and len(value) > MAX_LINE_CHARS:
        value = value[:MAX_LINE_CHARS]  # before it is escaped: it may be millions of characters long
    return json.dumps(value, ensure_ascii=False, default=str)
