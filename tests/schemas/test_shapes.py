"""Schemas and the types of what they load name the same keys."""

import sys
from typing import get_type_hints

import pytest
from marshmallow import Schema

from schemas import SCHEMAS
from schemas.base import Resource
from schemas.fields import LenientField, Text
from schemas.relations import Relation

_TYPED = sorted(set(SCHEMAS) - {"any"})


@pytest.mark.parametrize("name", _TYPED)
def test_a_schema_and_its_typed_dict_name_the_same_keys(name):
    schema = SCHEMAS[name]
    typed = getattr(sys.modules[type(schema).__module__], type(schema).__name__.removesuffix("Schema"))

    links = {"links"} if isinstance(schema, Resource) else set()
    assert set(schema.load_fields) | links == set(get_type_hints(typed))


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_field_is_a_lenient_value_or_a_relation(name):
    assert [
        key for key, field in SCHEMAS[name].load_fields.items() if not isinstance(field, LenientField | Relation)
    ] == []


@pytest.mark.parametrize("name", _TYPED)
def test_every_alias_leads_to_a_field(name):
    assert set(SCHEMAS[name].aliases.values()) <= set(SCHEMAS[name].load_fields)


def test_a_lenient_field_reads_the_same_in_any_marshmallow_schema():
    plain = Schema.from_dict({"name": Text()})

    assert plain().load({"name": " Maren "}) == {"name": "Maren"}
