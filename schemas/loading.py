"""Loads a body, or a page of a collection, by the name of its schema."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

from marshmallow import ValidationError

from schemas.base import NOT_AN_OBJECT, Loaded
from schemas.registry import SCHEMAS
from schemas.report import Report

_MAX_SHOWN_ERRORS = 10  # in the message; `errors` has all


class InvalidBody(Exception):
    """A body that its schema cannot read. `errors`: path of the field -> messages; neither contains a value."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__(errors)
        self.errors = dict(errors)

    def __str__(self) -> str:
        shown = sorted(self.errors)[:_MAX_SHOWN_ERRORS]
        messages = [f"{path or 'the body'} {', '.join(self.errors[path])}" for path in shown]
        more = len(self.errors) - len(shown)
        return "; ".join([*messages, f"and {more} more"] if more else messages)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a collection. `next` and `prev` are as the store sent them: to be joined to the collection's URL."""

    count: int | None
    next: str | None
    prev: str | None
    results: list[dict[str, Any]]


def load(name: str, body: object, strict: Collection[str] | None = None) -> Loaded:
    """Return the typed, normalised, JSON-safe data of a body.

    Raises InvalidBody, and KeyError for a name that is not in SCHEMA_NAMES. `strict`: the paths, without indexes, that
    must be readable if they are present, besides fields that identify a person; other unreadable fields are left out
    and reported. None: everything must be readable.
    """
    try:
        return SCHEMAS[name].load(body, strict=strict)
    except ValidationError as error:
        raise InvalidBody(cast("dict[str, list[str]]", error.messages)) from None


def load_page(name: str, body: object) -> Page:
    """Return a page whose results are loaded with the named schema. Raises InvalidBody, by path (`results.3.total`)."""
    envelope = load("envelope", body).data
    results = envelope.get("results") or []
    if not isinstance(results, list):
        raise InvalidBody({"results": ["is not a list"]})
    report, schema = Report(), SCHEMAS[name]
    read = []
    for index, item in enumerate(results):
        trail = ("results", str(index))
        if isinstance(item, dict):
            read.append(schema.read(item, report, trail))
        else:
            report.error(trail, NOT_AN_OBJECT)
    if report.errors:
        raise InvalidBody(report.errors)
    return Page(envelope.get("count"), envelope.get("next"), envelope.get("prev"), read)
