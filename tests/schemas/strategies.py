"""Bodies that Cratejoy may send, and bodies that it never would."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st
from marshmallow.fields import Field

from schemas import SCHEMAS
from schemas.fields import AnyValue, Email, Flag, Integer, Number, StatusWord, Text, Time
from schemas.relations import Relation, ToMany

_CHARACTERS = st.text(st.characters(exclude_categories=()), max_size=8)  # lone surrogates too
_LINKS = st.sampled_from(["/v1/things/5", "/v1/things/5/parts", "https://shop.example/v1/things/5/", " /a ", "/\ud800"])
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | _CHARACTERS | _LINKS
_KEYS = st.sampled_from(
    sorted({key for schema in SCHEMAS.values() for key in (*schema.load_fields, *schema.aliases)} | {"links", "field"})
)

anything = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS | _CHARACTERS, inner, max_size=5)
)

_whole = st.integers(0, 2**63 - 1)
_PLAUSIBLE: list[tuple[type, st.SearchStrategy[Any]]] = [
    (Email, st.emails() | _CHARACTERS),
    (Text, _CHARACTERS | st.integers()),
    (Integer, _whole | _whole.map(str) | st.integers(0, 2**53).map(float)),
    (Number, st.floats(allow_nan=False, allow_infinity=False)),
    (Flag, st.sampled_from([True, False, "True", "false", "1", "0", 0, 1, 1.0])),
    (
        Time,
        st.integers(0, 32503679999)
        | st.integers(10**11, 32503679999999)
        | st.floats(0, 32503679999)
        | st.datetimes().filter(lambda at: at.year >= 1970 and at.year <= 2999).map(str),
    ),
    (StatusWord, st.sampled_from(["Past Due", "pastdue", "canceled", 3, "3", 3.0]) | _CHARACTERS),
    (AnyValue, anything),
]


@cache
def bodies(name: str, depth: int = 2) -> st.SearchStrategy[dict[str, Any]]:
    """Bodies that fit the named schema, under its own keys and its aliases, with strangers among them."""
    schema = SCHEMAS[name]
    named = {key: _values(field, depth) for key, field in schema.load_fields.items()}
    aliased = {alias: named[key] for alias, key in schema.aliases.items()}
    strangers = {"foo": anything, "links": st.dictionaries(_KEYS, _LINKS, max_size=2), "type": _CHARACTERS}
    values = {**strangers, **named, **aliased}
    chosen = st.lists(st.sampled_from(sorted(values)), unique=True, max_size=8)
    return chosen.flatmap(lambda keys: st.fixed_dictionaries({key: values[key] for key in keys}))


def _values(field: Field[Any], depth: int) -> st.SearchStrategy[Any]:
    empty = st.sampled_from([None, "", " "])
    if not isinstance(field, Relation):
        return empty | next(values for kind, values in _PLAUSIBLE if isinstance(field, kind))
    one = _LINKS | _whole | (bodies(field.schema_name, depth - 1) if depth else st.just({}))
    return empty | one | st.lists(one, max_size=2 if isinstance(field, ToMany) else 1)
