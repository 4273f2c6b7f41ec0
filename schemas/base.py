"""The base of all schemas: walks over a body's own keys, and reports errors and unknown keys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypedDict

from marshmallow import Schema, ValidationError

from schemas.fields import Email, Id, LenientField, Text
from schemas.links import parse_link
from schemas.relations import CollectionLink, Reader, Relation, ToMany
from schemas.report import Report, Trail
from schemas.safe_values import MAX_DEPTH, TOO_DEEP, json_safe

Body = dict[str, Any]
NOT_AN_OBJECT = "is not an object"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A loaded body. Paths are like "fulfillments.0.foo"."""

    data: dict[str, Any]
    unknown: dict[str, Any]  # path -> value, of keys that no schema names
    unreadable: dict[str, list[str]] = field(default_factory=dict)  # path -> messages, of fields that are not in `data`


class WireSchema(Schema):
    """A marshmallow schema that reads what is there: no key is required, and none is refused.

    marshmallow's own loop visits every declared field, present or not, calls four layers for each value, and cannot
    report the unknown keys of nested schemas. This loop takes an eighth of its time on an order, and runs for every
    hook.
    """

    aliases: ClassVar[Mapping[str, str]] = {}  # other name of a key -> the name we use

    def __init__(self) -> None:
        super().__init__()
        fields = self.load_fields.items()
        self.relations = {name: field for name, field in fields if isinstance(field, Relation)}
        self._values: dict[str, Callable[[Any], Any]] = {
            name: field.read for name, field in fields if isinstance(field, LenientField)
        }
        self._identifying_fields = {
            name for name, field in fields if isinstance(field, LenientField) and field.identifies_person
        }
        self.has_email_field = any(isinstance(field, Email) for _, field in fields)

    def bind(self, schemas: Mapping[str, Reader]) -> None:
        """Give every relation its schema."""
        for relation in self.relations.values():
            relation.bind(schemas)

    def load(self, data: Any, *, strict: Collection[str] | None = None, **_options: Any) -> Loaded:
        """Read a whole body. Raises ValidationError with the messages by path.

        `strict`: the paths, without indexes, that must be readable if they are present, as fields that identify a
        person always must. Other unreadable fields are left out and reported. None: everything must be readable.
        """
        if not isinstance(data, dict):
            raise ValidationError({"": [NOT_AN_OBJECT]})
        report = Report()
        loaded = self.read(data, report, ())
        if report.is_fatal(strict):
            raise ValidationError(report.errors)
        return Loaded(loaded, report.unknown, report.errors)

    def read(self, body: Body, report: Report, trail: Trail) -> dict[str, Any]:
        """Read one object of a body; `trail` leads to it."""
        if len(trail) > MAX_DEPTH:
            report.error(trail, TOO_DEEP)
            return {}
        data: dict[str, Any] = {}
        values, relations = self._values, self.relations
        for key, value in self.reshape(body, report, trail).items():
            if read_value := values.get(key):
                try:
                    data[key] = None if value is None else read_value(value)
                except ValidationError as error:
                    report.error(
                        (*trail, key), *map(str, error.messages), identifies_person=key in self._identifying_fields
                    )
            elif relation := relations.get(key):
                _set_relation(data, key, None if value is None else relation.read(value, report, (*trail, key)))
            else:
                report.add_unknown(trail, key, value)
        return data

    def reshape(self, body: Body, report: Report, trail: Trail) -> Body:  # noqa: ARG002  (for subclasses)
        """Return the body under the keys we use."""
        for alias, name in self.aliases.items():
            if alias in body:
                body = {key: value for key, value in body.items() if key != alias} | _resolve_alias(body, alias, name)
        return body


class AnySchema(WireSchema):
    """An undocumented object: passes as it is, made safe for JSON."""

    def read(self, body: Body, report: Report, trail: Trail) -> dict[str, Any]:
        try:
            return dict(json_safe(body, len(trail)))
        except ValidationError as error:
            report.error(trail, *map(str, error.messages))
            return {}


class ResourceData(TypedDict, total=False):
    """What every resource has. `link` is all there is where the store sent an address instead of an object."""

    id: int | None
    type: str | None
    url: str | None
    link: str | None
    links: dict[str, str]  # to-many relation -> the address of its collection


class Resource(WireSchema):
    """A model of Cratejoy's API: it has an id and can be referred to."""

    id = Id()
    type: LenientField = Text()
    url = Text()
    link = Text()

    def reshape(self, body: Body, report: Report, trail: Trail) -> Body:
        """Return the body with our `links` turned back into relations, so that loaded data can be loaded again."""
        body = super().reshape(body, report, trail)
        if "link" in body and not isinstance(body["link"], str | None):
            body = dict(body)
            report.add_unknown(trail, "link", body.pop("link"))
        if "links" in body:
            body = dict(body)
            body = self._restore_links(body, body.pop("links"), report, trail)
        return body

    def _restore_links(self, body: Body, links: object, report: Report, trail: Trail) -> Body:
        """Return the body with each of our links under the name of its relation, as the store sends them. Others are
        unknown keys.
        """
        own_links: dict[str, str] = {}
        if isinstance(links, dict):
            own_links = {
                name: link
                for name, link in links.items()
                if self._is_collection_link(name, link) and not body.get(name)
            }
            links = {name: link for name, link in links.items() if name not in own_links}
        if links or not own_links:
            report.add_unknown(trail, "links", links)
        return body | own_links

    def _is_collection_link(self, name: str, link: object) -> bool:
        return isinstance(self.relations.get(name), ToMany) and parse_link(link) is not None


def _resolve_alias(body: Body, alias: str, name: str) -> Body:
    """Return what our name gets from the alias, which only fills a gap."""
    value = body[alias]
    return {name: value} if name not in body or (value and not body[name]) else {}


def _set_relation(data: dict[str, Any], key: str, value: object) -> None:
    if isinstance(value, CollectionLink):
        data.setdefault("links", {})[key] = value.link
    else:
        data[key] = value
