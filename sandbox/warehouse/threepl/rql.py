"""The vendor's query language, as far as orders need it: `a==1;b=in=(2,3),c=ge=4`. `;` is and, and binds tighter."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

OPERATORS = ("==", "!=", "=gt=", "=ge=", "=lt=", "=le=", "=in=", "=out=", "=hv=")
_COMPARISON = re.compile(r"([A-Za-z][\w.]*)(==|!=|=[a-z]+=)")
_ENDS = ";,()"

Get = Callable[[str], Any]


class NotParsable(ValueError):
    """The text is no query, or compares things that cannot be compared."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A property (in lower case), an operator and its values."""

    name: str
    operator: str
    values: tuple[str, ...]

    def holds(self, get: Get) -> bool:
        """Is it true of the thing whose properties `get` returns?"""
        found = get(self.name)
        if self.operator == "=hv=":
            return (found is not None) == (self.values[0].lower() == "true")
        if self.operator in {"==", "=in="}:
            return any(is_equal(found, value) for value in self.values)
        if self.operator in {"!=", "=out="}:
            return not any(is_equal(found, value) for value in self.values)
        return found is not None and is_ordered(self.operator, found, self.values[0])

    def names(self) -> set[str]:
        """Return the properties that are asked for."""
        return {self.name}


@dataclass(frozen=True, slots=True)
class Group:
    """Parts that must all hold, or of which one must."""

    is_and: bool
    parts: tuple["Comparison | Group", ...]

    def holds(self, get: Get) -> bool:
        """Is it true of the thing whose properties `get` returns?"""
        return (all if self.is_and else any)(part.holds(get) for part in self.parts)

    def names(self) -> set[str]:
        """Return the properties that are asked for."""
        return set().union(*(part.names() for part in self.parts))


Expression = Comparison | Group


def parse(text: str) -> Expression:
    """Return the expression, or raise NotParsable."""
    expression, rest = _parse_or(text)
    if rest:
        raise NotParsable(f"unexpected: {rest[:20]}")
    return expression


def values_of(expression: Expression, name: str) -> tuple[str, ...] | None:
    """Return the values to which the expression limits a property, or None if it does not."""
    if isinstance(expression, Comparison):
        is_limit = expression.name == name and expression.operator in {"==", "=in="}
        return expression.values if is_limit else None
    limits = [values_of(part, name) for part in expression.parts] if expression.is_and else []
    return next((limit for limit in limits if limit is not None), None)


def is_equal(found: Any, value: str) -> bool:
    """Texts are compared without regard to case, so a client must compare exactly by itself."""
    if found is None:
        return value.lower() == "null"
    if isinstance(found, bool):
        return value.lower() == str(found).lower()
    if isinstance(found, int | float):
        return _number(value) == found
    return str(found).casefold() == value.casefold()


def is_ordered(operator: str, found: Any, value: str) -> bool:
    """Compare numbers as numbers, and dates as texts, which have no zone."""
    a: Any = found
    b: Any = _number(value) if isinstance(found, int | float) else value.removesuffix("Z")
    return bool({"=gt=": a > b, "=ge=": a >= b, "=lt=": a < b, "=le=": a <= b}[operator])


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise NotParsable(f"{value} is no number") from None


def _parse_or(text: str) -> tuple[Expression, str]:
    return _parse_list(text, ",", is_and=False)


def _parse_list(text: str, separator: str, *, is_and: bool) -> tuple[Expression, str]:
    parse_part = _parse_term if is_and else _parse_and
    part, rest = parse_part(text)
    parts = [part]
    while rest.startswith(separator):
        part, rest = parse_part(rest[1:])
        parts.append(part)
    return (parts[0] if len(parts) == 1 else Group(is_and, tuple(parts))), rest


def _parse_and(text: str) -> tuple[Expression, str]:
    return _parse_list(text, ";", is_and=True)


def _parse_term(text: str) -> tuple[Expression, str]:
    if text.startswith("("):
        expression, rest = _parse_or(text[1:])
        if not rest.startswith(")"):
            raise NotParsable("a bracket is not closed")
        return expression, rest[1:]
    match = _COMPARISON.match(text)
    if match is None or match[2] not in OPERATORS:
        raise NotParsable(f"no comparison: {text[:20]}")
    values, rest = _parse_values(text[match.end() :], is_list=match[2] in {"=in=", "=out="})
    return Comparison(match[1].lower(), match[2], values), rest


def _parse_values(text: str, *, is_list: bool) -> tuple[tuple[str, ...], str]:
    """The server decodes twice: once the whole parameter, once each value."""
    if not is_list:
        end = next((place for place, character in enumerate(text) if character in _ENDS), len(text))
        if not end:
            raise NotParsable("a value is missing")
        return (unquote(text[:end]),), text[end:]
    inner, closed, rest = text[1:].partition(")")
    if not text.startswith("(") or not closed:
        raise NotParsable("a list is in brackets")
    return tuple(unquote(value) for value in inner.split(",")), rest
