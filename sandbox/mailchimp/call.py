"""A call of the API and its answer, with what every list has: pages, and a choice of fields."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.mailchimp.problems import Problem, invalid_field, not_json

Json = dict[str, Any]
DEFAULT_COUNT = 10
MAX_COUNT = 1000
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and what becomes the body; None is an empty body."""

    status: int
    content: Any = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call below `/3.0`. `body` is what was sent, read only by calls that need one: a bad one is the last to fail."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    def has_flag(self, name: str) -> bool:
        """Is this query parameter `true` or `1`? Everything else is false."""
        return self.query.get(name, "").lower() in ("true", "1")

    def read_object(self) -> Json:
        """Return the body, which must be an object."""
        content = read_json(self.body) if self.body not in ("", b"", None) else None
        if not isinstance(content, dict):
            raise Problem(400, "Invalid Resource", "The submitted body is not a JSON object.")
        return content

    def read_number(self, name: str, default: int, most: int | None = None) -> int:
        """Return a query parameter from 0 to `most`."""
        text = self.query.get(name, str(default))
        if not _NUMBER.fullmatch(text) or (most is not None and int(text) > most):
            raise invalid_field(name, f"This value should be a number from 0 to {most or 'any'}.")
        return int(text)


def read_json(text: Any) -> Any:
    """Return what JSON says, or raise a Problem. Numbers that are none and broken characters are no JSON."""
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
        json.dumps(content, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise not_json() from None
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def page(call: Call, name: str, items: Sequence[Any], show: Callable[[Any], Json]) -> Json:
    """Return one page of a list, under its name, and the number of all."""
    count, offset = call.read_number("count", DEFAULT_COUNT, MAX_COUNT), call.read_number("offset", 0)
    return {name: [show(item) for item in items[offset : offset + count]], "total_items": len(items)}


def choose_fields(call: Call, content: Any) -> Any:
    """Return the content with `fields`, or without `exclude_fields`, both with dots."""
    if call.query.get("fields"):
        return _keep(content, _read_paths(call.query["fields"]))
    if call.query.get("exclude_fields"):
        return _drop(content, _read_paths(call.query["exclude_fields"]))
    return content


def _read_paths(text: str) -> Json:
    tree: Json = {}
    for path in text.split(","):
        branch = tree
        for part in path.strip().split("."):
            branch = branch.setdefault(part, {})
    return tree


def _keep(content: Any, tree: Json) -> Any:
    if isinstance(content, list):
        return [_keep(one, tree) for one in content]
    if not isinstance(content, dict) or not tree:
        return content
    return {name: _keep(value, tree[name]) for name, value in content.items() if name in tree}


def _drop(content: Any, tree: Json) -> Any:
    if isinstance(content, list):
        return [_drop(one, tree) for one in content]
    if not isinstance(content, dict):
        return content
    return {name: _drop(value, tree.get(name, {})) for name, value in content.items() if tree.get(name, True) != {}}
