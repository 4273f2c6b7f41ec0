"""Relations to other resources, to one or to many, in every shape in which the store sends them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from marshmallow.fields import Field

from schemas.links import parse_link, parse_reference
from schemas.report import Report, Trail
from schemas.safe_values import normalize_text


class Reader(Protocol):
    """What a relation needs of the schema that it leads to."""

    has_email_field: bool

    def read(self, body: dict[str, Any], report: Report, trail: Trail) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class CollectionLink:
    """A to-many relation that was sent as the address of its collection. The owner has it under `links`."""

    link: str


class Relation(Field[Any]):
    """A relation by the name of its schema. Bound late, because resources refer to each other in circles."""

    target: Reader

    def __init__(self, schema_name: str) -> None:
        super().__init__(allow_none=True)
        self.schema_name = schema_name

    def bind(self, schemas: Mapping[str, Reader]) -> None:
        self.target = schemas[self.schema_name]

    @abstractmethod
    def read(self, value: Any, report: Report, trail: Trail) -> Any:
        """Return the relation in a value that is not null; errors go into the report."""

    def read_one(self, value: object, report: Report, trail: Trail) -> dict[str, Any] | None:
        """Return one related resource: embedded, or the reference in an address or a bare id."""
        if isinstance(value, dict):
            return self.target.read(value, report, trail)
        reference = parse_reference(value)
        if reference is None and value is not None:
            report.error(trail, "is not an object, an id or a link", identifies_person=self.target.has_email_field)
        return reference


class ToOne(Relation):
    """An object or None. Of a list the first counts: a sample in Cratejoy's docs shows an order's `customer` as one."""

    def read(self, value: Any, report: Report, trail: Trail) -> dict[str, Any] | None:
        if isinstance(value, dict):
            return self.target.read(value, report, trail)
        if isinstance(value, list):
            return self.read_one(value[0], report, (*trail, "0")) if value else None
        return None if _is_blank(value) else self.read_one(value, report, trail)


class ToMany(Relation):
    """A list. A single object is a list of one; the address of a collection becomes a CollectionLink."""

    def read(self, value: Any, report: Report, trail: Trail) -> list[dict[str, Any]] | CollectionLink | None:
        if _is_blank(value):
            return None
        if (link := parse_link(value)) and "id" not in (parse_reference(link) or {}):
            return CollectionLink(link)
        items = value if isinstance(value, list) else [value]
        read = [self.read_one(item, report, (*trail, str(index))) for index, item in enumerate(items)]
        return [item for item in read if item is not None]


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and normalize_text(value) is None
