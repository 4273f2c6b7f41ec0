"""Relations to other resources: to one, to many, and every shape the store gives them in."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from marshmallow.fields import Field

from schemas.clean import normalize_text
from schemas.links import parse_link, parse_reference
from schemas.report import Report, Trail


class Reader(Protocol):
    """What a relation needs of the schema it leads to. `names_person`: it has an address of somebody."""

    has_email_field: bool

    def read(self, body: dict[str, Any], report: Report, trail: Trail) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class CollectionLink:
    """To be fetched: the owner keeps the address under `links`."""

    link: str


class Relation(Field[Any]):
    """A relation by the name of the schema it leads to. Bound late, since resources refer to each other in circles."""

    target: Reader

    def __init__(self, to: str) -> None:
        super().__init__(allow_none=True)
        self.to = to

    def bind(self, schemas: Mapping[str, Reader]) -> None:
        self.target = schemas[self.to]

    @abstractmethod
    def read(self, value: Any, report: Report, trail: Trail) -> Any:
        """What the value, which is not null, tells of the relation; errors go into the report."""

    def read_one(self, value: object, report: Report, trail: Trail) -> dict[str, Any] | None:
        """One related resource: embedded, or what an address or a bare id tells of it."""
        if isinstance(value, dict):
            return self.target.read(value, report, trail)
        found = parse_reference(value)
        if found is None and value is not None:
            report.error(trail, "is not an object, an id or a link", identifies_person=self.target.has_email_field)
        return found


class ToOne(Relation):
    """An object or None. A docs sample shows an order's `customer` as a list: its first is the one."""

    def read(self, value: Any, report: Report, trail: Trail) -> dict[str, Any] | None:
        if isinstance(value, dict):
            return self.target.read(value, report, trail)
        if isinstance(value, list):
            return self.read_one(value[0], report, (*trail, "0")) if value else None
        return None if _is_blank(value) else self.read_one(value, report, trail)


class ToMany(Relation):
    """A list. One object is a list of one; one address of a collection leads elsewhere."""

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
