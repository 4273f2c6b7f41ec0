"""How many bytes the evaluation of an expression touches at most, computed from its syntax tree before it is evaluated.

CEL always ends, and its library limits steps and depth, but not memory: `+` in one `map` after another doubles a text
with each. The bound is of the tree and of the sizes of the data alone, so that the same message is always judged alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pipeline.core.errors import Misconfigured
from pipeline.destinations.http.syntax_tree import Node

_NUMBER_BYTES = 64  # a number, a time or a truth value, also as text
_ITEM_BYTES = 16  # the library copies a list with every item that a `map` adds
_SEARCH_SHARE = 256  # of the product of two texts, for a search of one in the other


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of the data of a message: its bytes as JSON, and the number of items in its longest list or object."""

    total_bytes: int = 0
    longest: int = 0

    def rounded_up(self) -> Sizes:
        """The next powers of two, so that most messages of a kind have the same sizes."""
        return Sizes(_round_up(self.total_bytes), _round_up(self.longest))


def measure(total_bytes: int, data: Any) -> Sizes:
    """Measure the data of a message."""
    return Sizes(total_bytes, _find_longest(data))


@lru_cache(maxsize=10_000)
def find_cost(tree: Node, sizes: Sizes) -> int:
    """Return how many bytes are touched at most. Raise Misconfigured for a function that has no bound."""
    judge = _Judge(_Value(sizes.total_bytes, sizes.longest, sizes.longest))
    judge.find(tree, {})
    return judge.cost


@dataclass(frozen=True, slots=True)
class _Value:
    """The largest value that a node can have: its bytes, its own items, and those of the longest list within it."""

    size: int = _NUMBER_BYTES
    items: int = 0
    inner: int = 0

    def enter(self) -> _Value:
        """What is inside it."""
        return _Value(self.size, self.inner, self.inner)


class _Judge:
    def __init__(self, variable: _Value) -> None:
        self._variable = variable
        self.cost = 0

    def find(self, node: Node, names: Mapping[str, _Value]) -> _Value:
        """Return the largest value of a node, and add to the cost what finding it takes."""
        if node.kind == "constant":
            return _Value(max(node.size, _NUMBER_BYTES))
        if node.kind == "name":
            return names.get(node.name, self._variable)
        if node.kind == "loop":
            return self._find_loop(node, names)
        parts = [self.find(part, names) for part in node.parts]
        if node.kind == "select":
            return parts[0].enter()
        if node.kind == "call":
            return self._find_call(node.name, parts)
        values = parts if node.kind == "list" else parts[1::2]
        made = _join(parts)
        self.cost += _NUMBER_BYTES * len(parts)
        return _Value(made.size, len(values), max(made.items, made.inner))

    def _find_call(self, function: str, parts: list[_Value]) -> _Value:
        bound = _FUNCTIONS.get(function)
        if bound is None:
            raise Misconfigured(f"the function {function} is not available")
        value = bound(parts)
        self.cost += _NUMBER_BYTES if function in _PASSES_ON else sum(part.size for part in parts) + value.size
        if function in _SEARCHES:
            self.cost += parts[0].size * parts[-1].size // _SEARCH_SHARE
        return value

    def _find_loop(self, node: Node, names: Mapping[str, _Value]) -> _Value:
        """A macro. Its items together are no larger than its range, and what a step makes of an item grows with that
        item at least in proportion: so all steps make no more than one with everything and the others with nothing.
        """
        over, first = (self.find(part, names) for part in node.parts[:2])
        item = over.enter()
        everything = self._find_step(node, names, item)
        before = self.cost
        nothing = self._find_step(node, names, _Value(0, item.items, item.inner))
        self.cost = before + (self.cost - before) * over.items
        if everything.items:
            self.cost += _ITEM_BYTES * over.items**2
        made = _Value(
            first.size + everything.size + nothing.size * over.items,
            first.items + everything.items * over.items,
            max(first.inner, everything.inner),
        )
        return self.find(node.parts[4], {**names, node.names[-1]: made})

    def _find_step(self, node: Node, names: Mapping[str, _Value], item: _Value) -> _Value:
        inside = {**names, **dict.fromkeys(node.names[:-1], item), node.names[-1]: _Value(0)}
        self.find(node.parts[2], inside)
        return self.find(node.parts[3], inside)


def _join(parts: list[_Value]) -> _Value:
    return _Value(
        sum(part.size for part in parts),
        max((part.items for part in parts), default=0),
        max((part.inner for part in parts), default=0),
    )


def _largest(parts: list[_Value]) -> _Value:
    return _Value(
        max((part.size for part in parts), default=_NUMBER_BYTES),
        max((part.items for part in parts), default=0),
        max((part.inner for part in parts), default=0),
    )


def _add(parts: list[_Value]) -> _Value:
    made = _join(parts)
    return _Value(made.size, sum(part.items for part in parts), made.inner)


def _number(_: list[_Value]) -> _Value:
    return _Value()


def _enter(parts: list[_Value]) -> _Value:
    return parts[0].enter()


def _same_text(parts: list[_Value]) -> _Value:
    return _Value(max(parts[0].size, _NUMBER_BYTES))


def _split(parts: list[_Value]) -> _Value:
    return _Value(parts[0].size * _ITEM_BYTES, parts[0].size)


def _join_texts(parts: list[_Value]) -> _Value:
    return _Value(parts[0].size + parts[0].items * sum(part.size for part in parts[1:]) + _NUMBER_BYTES)


def _replace(parts: list[_Value]) -> _Value:
    return _Value((parts[0].size + 1) * (1 + (parts[2].size if len(parts) > 2 else 0)))  # noqa: PLR2004 - s, old, new


_Bound = Callable[[list[_Value]], _Value]
_OPERATORS = (
    "!_ -_ _-_ _*_ _/_ _%_ _&&_ _||_ _==_ _!=_ _<_ _<=_ _>_ _>=_ @in @not_strictly_false "
    "size matches contains startsWith endsWith indexOf lastIndexOf hasValue "
    "bool int uint double duration timestamp type optional.none "
    "getDate getDayOfMonth getDayOfWeek getDayOfYear getFullYear getHours getMilliseconds getMinutes getMonth "
    "getSeconds"
)
_PASSES_ON = frozenset(
    {"_?_:_", "_[_]", "_?._", "_[?_]", "orValue", "or", "optional.of", "optional.ofNonZeroValue", "value", "dyn"}
)
_SEARCHES = frozenset({"contains", "indexOf", "lastIndexOf", "split", "replace"})
_FUNCTIONS: Mapping[str, _Bound] = {
    **dict.fromkeys(_OPERATORS.split(), _number),
    **dict.fromkeys(_PASSES_ON, _largest),
    **dict.fromkeys(("_[_]", "_?._", "_[?_]"), _enter),
    **dict.fromkeys(("string", "lowerAscii", "upperAscii", "trim", "substring", "charAt"), _same_text),
    "_+_": _add,
    "split": _split,
    "join": _join_texts,
    "replace": _replace,
}


def _round_up(number: int) -> int:
    return 1 << max(0, number - 1).bit_length()


def _find_longest(value: Any) -> int:
    if isinstance(value, dict):
        return max(len(value), max(map(_find_longest, value.values()), default=0))
    if isinstance(value, list):
        return max(len(value), max(map(_find_longest, value), default=0))
    return 0
