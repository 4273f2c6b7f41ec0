"""Expressions in CEL: the one module that uses Google's library for them (docs/decisions/0012-cel-from-google.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pipeline.core.errors import Misconfigured
from pipeline.destinations.http.bounds import Sizes, find_cost
from pipeline.destinations.http.syntax_tree import Node, read_tree

MAX_EXPRESSION_CHARACTERS = 2_000
MAX_COST_BYTES = 64_000_000  # that the expressions of one request may touch: about half a second
_MAX_DETAIL_CHARACTERS = 200
_OPTIONAL = "optional_type"
_LOCATED = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.+)")
_PLAIN_TYPES = frozenset({"BOOL", "INT", "UINT", "DOUBLE", "STRING"})
_CODE = re.compile(r"^[A-Z_]+: ")
_NAMES_TYPES = ("No matching overloads found", "Invalid map key type")  # what follows these is no value


class CannotEvaluate(Exception):
    """An expression has no value for this message. The text names keys of the expression, and no value of the data."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. `is_optional`: it may have no value, which leaves its place out."""

    text: str
    is_optional: bool
    _program: Any = field(repr=False)
    _tree: Node = field(repr=False)

    def find_cost(self, sizes: Sizes) -> int:
        """Return how many bytes an evaluation touches at most, for data of these sizes."""
        return find_cost(self._tree, sizes)

    def evaluate(self, data: Mapping[str, Any]) -> list[Any]:
        """Return a list of its value, as JSON has it, or an empty list if it has none. Raise CannotEvaluate."""
        try:
            found = self._program.eval(data=dict(data))
            if found.type().name() == "ERROR":
                raise CannotEvaluate(_explain(str(found.value()), self.text))
            return [_convert(value) for value in found.value()]
        except RuntimeError as error:  # such as too many steps, or a text that is not Unicode
            raise CannotEvaluate(_explain(str(error), self.text)) from None


@lru_cache(maxsize=2_000)
def compile_expression(text: str, variables: Sequence[str]) -> Expression:
    """Compile an expression over these variables. Raise Misconfigured, which says where in it a fault is."""
    if len(text) > MAX_EXPRESSION_CHARACTERS:
        raise Misconfigured(f"an expression has at most {MAX_EXPRESSION_CHARACTERS} characters")
    environment = _open_environment(tuple(variables))
    try:
        is_optional = environment.compile(text).return_type().name().startswith(_OPTIONAL)
        program = environment.compile(f"[?({text}\n)]" if is_optional else f"[({text}\n)]")
    except RuntimeError as error:
        raise Misconfigured(_locate(str(error))) from None
    tree = read_tree(program.serialize())
    find_cost(tree, Sizes())  # refuses what has no bound
    return Expression(text, is_optional, program, tree)


def _convert(value: Any) -> Any:
    """Return a value of the library as JSON has it: keys are texts. Raise CannotEvaluate for a type that JSON lacks.

    Two faults of the library (0.1.3) end the process, at once or in the end: converting an optional value within a
    list, and the reference to None that it gives away with each null. So neither is converted by it.
    """
    kind = value.type().name()
    if kind == "NULL":
        return None
    if kind in _PLAIN_TYPES:
        return value.value()
    if kind.startswith("LIST"):
        return [_convert(item) for item in value.value()]
    if kind.startswith("MAP"):
        return {key if isinstance(key, str) else str(key): _convert(item) for key, item in value.value().items()}
    raise CannotEvaluate("its value has a type that JSON lacks: use string(…), or orValue(…) for an optional one")


@lru_cache(maxsize=16)
def _open_environment(variables: tuple[str, ...]) -> Any:
    # Here, because it takes 19 MB, and most installations have no expression.
    from cel_expr_python import cel  # noqa: PLC0415
    from cel_expr_python.ext import ext_optional, ext_strings  # noqa: PLC0415

    extensions = [ext_optional.ExtOptional(), ext_strings.ExtStrings()]
    return cel.NewEnv(variables=dict.fromkeys(variables, cel.Type.DYN), extensions=extensions)


def _locate(text: str) -> str:
    """Return the first fault of a compilation, with its place in the expression."""
    found = _LOCATED.search(text)
    if found is None:
        return _explain(text, text)
    line, column, fault = int(found[1]), int(found[2]), found[3].split("\n")[0][:_MAX_DETAIL_CHARACTERS]
    fault = fault.replace(" (in container '')", "")
    if column < 1:
        return fault
    return f"{fault}, at character {column}" + (f" of line {line}" if line > 1 else "")


def _explain(text: str, expression: str = "") -> str:
    """Return the library's words in short. What it quotes is kept if it is of the expression, and dropped otherwise."""
    first = _CODE.sub("", text.split("\n", maxsplit=1)[0]).partition(" [")[0]
    words, colon, quoted = first.partition(":")
    is_ours = words.rstrip() in _NAMES_TYPES or quoted.strip(' "') in expression
    return (first if colon and is_ours else words.rstrip())[:_MAX_DETAIL_CHARACTERS]
