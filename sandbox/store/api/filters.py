"""Filters: `[relation.]property[__comparison]=value`, joined by AND."""

import json
import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sandbox.store import shapes, status_codes
from sandbox.store.api import fields
from sandbox.store.properties import LEADS_TO, PROPERTIES
from sandbox.store.relations import RELATIONS, ref
from sandbox.store.state import Row, State

NOT_FILTERS = frozenset(("page", "limit", "with"))


class BadFilter(ValueError):
    """An unknown property or comparison, or a value of another type than the property's: a 400."""


@dataclass(frozen=True)
class Condition:
    """A parsed filter."""

    path: tuple[str, ...]
    comparison: str
    value: str


def like(value: Any, pattern: Any) -> bool:
    return like_with(value, pattern, 0)


def ilike(value: Any, pattern: Any) -> bool:
    return like_with(value, pattern, re.IGNORECASE)


def like_with(value: Any, pattern: Any, flags: int) -> bool:
    expression = ".*".join(re.escape(part) for part in str(pattern).split("%"))
    return value is not None and re.fullmatch(expression, str(value), flags | re.DOTALL) is not None


def ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, wanted: value is not None and type(value) is type(wanted) and compare(value, wanted)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": ordered(operator.lt),
    "le": ordered(operator.le),
    "gt": ordered(operator.gt),
    "ge": ordered(operator.ge),
    "like": like,
    "ilike": ilike,
    "in": lambda value, wanted: value in wanted,
    "nin": lambda value, wanted: value not in wanted,
    "is_null": lambda value, wanted: (value is None) == wanted,
}


def parse_conditions(arguments: Iterable[tuple[str, str]]) -> list[Condition]:
    return [parse_condition(name, value) for name, value in arguments if name not in NOT_FILTERS]


def parse_condition(name: str, value: str) -> Condition:
    """`_md.shoe.size__gt` has the path _md, shoe, size and the comparison gt."""
    path, _, comparison = name.rpartition("__") if "__" in name.strip("_") else (name, "", "eq")
    if comparison not in COMPARISONS:
        raise BadFilter(f"Invalid query parameter '{name}': no comparison is called {comparison!r}")
    return Condition(tuple(path.split(".")), comparison, value)


def refuse_words(conditions: list[Condition]) -> None:
    """Refuse a status that is not written as its number."""
    for condition in conditions:
        if condition.path[-1] == "status" and not all(part.isdecimal() for part in parse_list(condition.value)):
            raise BadFilter(f"Invalid query parameter '{'.'.join(condition.path)}'")


def apply_filters(state: State, kind: str, rows: Iterable[Row], conditions: list[Condition]) -> list[Row]:
    for condition in conditions:
        check_path(kind, condition.path)
    return [row for row in rows if all(row_matches(state, kind, row, condition) for condition in conditions)]


def check_path(kind: str, path: tuple[str, ...]) -> None:
    """Refuse a path that is neither a property, a property of a relation, nor metadata at any depth."""
    head, *rest = path
    own = PROPERTIES.get(kind, frozenset())
    if head == "_md" and rest and "_md" in RELATIONS.get(kind, {}):
        return
    known = head in own if not rest else head in own | RELATIONS.get(kind, {}).keys() and rest[0] in related_kind(head)
    if not known or len(rest) > 1:
        raise BadFilter(f"Unknown property '{'.'.join(path)}'")


def related_kind(relation: str) -> frozenset[str]:
    return PROPERTIES[LEADS_TO[relation]] if relation in LEADS_TO else frozenset()


def row_matches(state: State, kind: str, row: Row, condition: Condition) -> bool:
    """Whether any value at the path passes: a relation to many has many."""
    compare = COMPARISONS[condition.comparison]
    if len(condition.path) == 1:
        return compare(*find_value(row, condition, condition.path[0]))
    return any(compare(value, wanted) for value, wanted in find_values(state, kind, row, condition))


def find_values(state: State, kind: str, row: Row, condition: Condition) -> Iterable[tuple[Any, Any]]:
    for owner, name in find_owners(state, kind, row, condition.path):
        yield find_value(owner, condition, name)


def find_value(owner: Row, condition: Condition, name: str) -> tuple[Any, Any]:
    value = owner.get(name, ref(owner, name)) if name.endswith("_id") else owner.get(name)
    return value, parse_filter_value(condition, value, str(owner.get("type")), name)


def find_owners(state: State, kind: str, row: Row, path: tuple[str, ...]) -> Iterable[tuple[Row, str]]:
    """The objects that hold the property: a relation's, or a branch of the metadata."""
    if path[0] == "_md":
        return [metadata_branch(state, kind, row, path)]
    relation = RELATIONS.get(kind, {}).get(path[0])
    found = relation(state, row) if relation else row.get(path[0])
    objects = found if isinstance(found, list) else [found]
    return [(item, path[1]) for item in objects if isinstance(item, dict)]


def metadata_branch(state: State, kind: str, row: Row, path: tuple[str, ...]) -> tuple[Row, str]:
    whole = shapes.metadata(state, kind, row)
    if path[1] in {"created_at", "updated_at"}:
        return whole, path[1]
    branch: Any = whole["data"]
    for key in path[1:-1]:
        branch = branch.get(key) if isinstance(branch, dict) else None
    return (branch if isinstance(branch, dict) else {}), path[-1]


def parse_filter_value(condition: Condition, like_value: Any, object_type: str, field: str) -> Any:
    """The text of the filter as the type of the column."""
    return parse_with(condition, get_reader(like_value), object_type, field)


# A list asks this for each row, and there are lists of many thousand boxes.
@lru_cache(maxsize=1024)
def parse_with(condition: Condition, reader: Callable[[str], Any], object_type: str, field: str) -> Any:
    if condition.comparison == "is_null":
        return parse_as_column_type(condition.value, fields.boolean)
    if condition.comparison in {"in", "nin"}:
        return [
            parse_as_column_type(status_codes.as_text(object_type, field, item), reader)
            for item in parse_list(condition.value)
        ]
    if condition.comparison in {"like", "ilike"}:
        return condition.value
    return parse_as_column_type(status_codes.as_text(object_type, field, condition.value), reader)


def parse_list(text: str) -> list[str]:
    """`123,456`, or a JSON array as v1.1 shows it for text."""
    if text.startswith("["):
        try:
            return [str(item) for item in json.loads(text)]
        except ValueError as error:
            raise BadFilter("a list is comma-separated or a JSON array") from error
    return text.split(",")


def parse_as_column_type(text: str, reader: Callable[[str], Any]) -> Any:
    """The text as the column's type, or a refusal: it would otherwise be a filter that fits nothing."""
    try:
        return reader(text)
    except ValueError as error:
        raise BadFilter(f"Invalid query parameter: {text!r} {error}") from error


def get_reader(like_value: Any) -> Callable[[str], Any]:
    if isinstance(like_value, str) and IS_DATE.fullmatch(like_value):
        return fields.date
    return READERS.get(type(like_value), str)


READERS: dict[type, Callable[[str], Any]] = {bool: fields.boolean, int: fields.integer, float: fields.number}
IS_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
