"""Bodies and addresses with expressions in them: compiled when they are saved, filled in for each message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from pipeline.core.errors import Misconfigured
from pipeline.destinations.http.bounds import Sizes
from pipeline.destinations.http.cel import MAX_COST_BYTES, CannotEvaluate, Expression, compile_expression

MAX_LEAVES = 500
_IN_ADDRESS = re.compile(r"\$\{([^{}]*)\}")


class CannotBuild(Exception):
    """A request cannot be built from this message: at which place, and why. The text holds no value of the data."""


@dataclass(frozen=True, slots=True)
class Data:
    """The variables of a message, and their sizes."""

    variables: Mapping[str, Any] = field(repr=False)
    sizes: Sizes


@dataclass(frozen=True, slots=True)
class Leaf:
    """An expression and its place in the document."""

    place: str
    expression: Expression


class Evaluation:
    """Evaluates the expressions of one request, together within the limit of what they may touch."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self._left = MAX_COST_BYTES

    def find(self, leaf: Leaf) -> list[Any]:
        """Return a list of the leaf's value, or an empty list. Raise CannotBuild."""
        self._left -= leaf.expression.find_cost(self._data.sizes)
        if self._left < 0:
            raise CannotBuild(f"{leaf.place}: takes more memory than {MAX_COST_BYTES // 1_000_000} MB for this message")
        try:
            return leaf.expression.evaluate(self._data.variables)
        except CannotEvaluate as error:
            raise CannotBuild(f"{leaf.place}: {error}") from None

    def holds(self, leaf: Leaf) -> bool:
        """Return whether a condition is true. Raise CannotBuild."""
        found = self.find(leaf)
        if found not in ([True], [False]):
            raise CannotBuild(f"{leaf.place}: is neither true nor false")
        return bool(found[0])


class Compiler:
    """Compiles what has expressions, and collects what is wrong, with its place."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        self._leaves = 0

    def compile_leaf(self, place: str, text: str, variables: Sequence[str]) -> Leaf | None:
        """Compile one expression; None if it is wrong."""
        self._leaves += 1
        if self._leaves == MAX_LEAVES + 1:
            self.faults.append(f"{place}: a document has at most {MAX_LEAVES} expressions")
        if self._leaves > MAX_LEAVES:
            return None
        try:
            return Leaf(place, compile_expression(text, tuple(variables)))
        except Misconfigured as error:
            self.faults.append(f"{place}: {error}")
            return None

    def compile_body(self, place: str, value: Any, variables: Sequence[str]) -> Any:
        """Compile a body: each text in it is an expression; numbers, truth values and null are themselves."""
        if isinstance(value, dict):
            return {name: self.compile_body(f"{place}.{name}", part, variables) for name, part in value.items()}
        if isinstance(value, list):
            return [self.compile_body(f"{place}[{number}]", part, variables) for number, part in enumerate(value)]
        if isinstance(value, str):
            return self.compile_leaf(place, value, variables)
        if value is None or isinstance(value, bool | int | float):
            return value
        self.faults.append(f"{place}: a {type(value).__name__} is not JSON; write it as an expression")
        return None

    def compile_address(self, place: str, text: str, variables: Sequence[str]) -> tuple[str | Leaf, ...]:
        """Compile an address: `${…}` in its path or query is an expression."""
        parts: list[str | Leaf] = []
        for number, part in enumerate(_IN_ADDRESS.split(text)):
            compiled = self.compile_leaf(place, part, variables) if number % 2 else part
            parts += [] if compiled is None else [compiled]
        return tuple(parts)


def fill_body(body: Any, evaluation: Evaluation) -> Any:
    """Return a body with the values of its expressions; what has no value is left out. Raise CannotBuild."""
    return next(_fill(body, evaluation), None)


def _fill(part: Any, evaluation: Evaluation) -> Iterator[Any]:
    if isinstance(part, Leaf):
        yield from evaluation.find(part)
    elif isinstance(part, dict):
        yield {name: value for name, inner in part.items() for value in _fill(inner, evaluation)}
    elif isinstance(part, list):
        yield [value for inner in part for value in _fill(inner, evaluation)]
    else:
        yield part


def fill_address(parts: Sequence[str | Leaf], evaluation: Evaluation) -> str:
    """Return an address with its values, each escaped as one part of a path or query. Raise CannotBuild."""
    return "".join(part if isinstance(part, str) else _fill_part(part, evaluation) for part in parts)


def _fill_part(leaf: Leaf, evaluation: Evaluation) -> str:
    found = evaluation.find(leaf)
    if not found or isinstance(found[0], dict | list) or found[0] is None or found[0] == "":
        raise CannotBuild(f"{leaf.place}: has no text or number for the address")
    text = str(found[0]).lower() if isinstance(found[0], bool) else str(found[0])
    if not text.strip("."):
        raise CannotBuild(f"{leaf.place}: only dots cannot be part of an address")
    return quote(text, safe="")


def blank_address(address: str) -> str:
    """Return an address with a letter in place of each expression."""
    return _IN_ADDRESS.sub("x", address)
