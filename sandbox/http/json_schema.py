"""Whether a value is as a JSON schema says: the few words of JSON Schema that the shapes use."""

import re
from collections.abc import Callable, Iterator
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
WORDS = frozenset(
    {
        *("type", "const", "enum", "pattern", "minLength", "maxLength"),
        *("required", "properties", "additionalProperties", "items", "minItems"),
    }
)


def find_faults(value: Any, schema: dict[str, Any], place: str = "body") -> Iterator[str]:
    """Yield what is wrong with the value, each with its place. Raise ValueError for a word that is not known here."""
    if unknown := set(schema) - WORDS:
        raise ValueError(f"a shape uses {', '.join(sorted(unknown))}")
    if "type" in schema and not _has_type(value, schema["type"]):
        yield f"{place} must be {schema['type']}"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{place} must be {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place} must be one of {schema['enum']}"
    for kind, find in _BY_KIND.items():
        if isinstance(value, kind):
            yield from find(value, schema, place)


def _find_text_faults(value: str, schema: dict[str, Any], place: str) -> Iterator[str]:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{place} has a wrong length"
    if not re.search(schema.get("pattern", ""), value):
        yield f"{place} has a wrong form"


def _find_object_faults(value: dict[str, Any], schema: dict[str, Any], place: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield f"{place}.{name} is missing"
    for name, item in value.items():
        if name in properties:
            yield from find_faults(item, properties[name], f"{place}.{name}")
        elif schema.get("additionalProperties") is False:
            yield f"{place}.{name} is not known"


def _find_list_faults(value: list[Any], schema: dict[str, Any], place: str) -> Iterator[str]:
    if len(value) < schema.get("minItems", 0):
        yield f"{place} has too few items"
    for number, item in enumerate(value):
        yield from find_faults(item, schema.get("items", {}), f"{place}[{number}]")


_BY_KIND: dict[type, Callable[[Any, dict[str, Any], str], Iterator[str]]] = {
    str: _find_text_faults,
    dict: _find_object_faults,
    list: _find_list_faults,
}


def _has_type(value: Any, wanted: str | list[str]) -> bool:
    names = [wanted] if isinstance(wanted, str) else wanted
    kinds = tuple(kind for name in names for kind in TYPES[name])
    return isinstance(value, kinds) and not (isinstance(value, bool) and bool not in kinds)
