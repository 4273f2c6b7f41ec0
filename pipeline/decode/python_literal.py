"""Parses a text as a Python literal, form D: dicts, lists, tuples, text, numbers, None, True and False.

Cratejoy's docs print the body of `design_updated` as a Python dict. The parser is our own, because `ast.literal_eval`
needs a hundred times the text's memory, warns about odd escapes, and does not know Python 2's `10L`. Nothing is
evaluated.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from pipeline.decode.limits import MAX_DEPTH, MAX_DIGITS, MAX_VALUES, Reason, refuse
from pipeline.decode.strict_json import NotJSONError, build_object

# Possessive quantifiers: a text that does not match fails in linear time.
_TOKEN = re.compile(
    r"""\s*+(?:
        (?P<text>[uU]?(?:'[^'\\]*+(?:\\.[^'\\]*+)*+'|"[^"\\]*+(?:\\.[^"\\]*+)*+"))
      | (?P<float>[-+]?(?:[0-9]++\.[0-9]*+|\.[0-9]++|[0-9]++(?=[eE]))(?:[eE][-+]?[0-9]++)?)
      | (?P<int>[-+]?[0-9]++)[lL]?
      | (?P<name>-?[A-Za-z]++)
      | (?P<mark>[][(){},:])
    )""",
    re.VERBOSE | re.DOTALL,
)
_END = re.compile(r"\s*+\Z")
_CONSTANTS = {"None": None, "True": True, "False": False, "null": None, "true": True, "false": False}
_NOT_NUMBERS = {"nan", "inf", "-inf", "NaN", "Infinity", "-Infinity"}
_CLOSERS = {"{": "}", "[": "]", "(": ")"}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(.))", re.DOTALL)
_SIMPLE_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "a": "\a", "v": "\v", "\n": ""}
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_literal(text: str) -> Any:
    """Return the value of the text, with lists for tuples. Raise NotJSONError, or BadHook if it exceeds a limit."""
    reader = _Reader(text)
    value = reader.value(0)
    if not _END.match(text, reader.position):
        raise NotJSONError(reader.position)
    return value


class _Reader:
    """A recursive-descent parser. The depth is limited, and with it the stack."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.values = 0

    def value(self, depth: int) -> Any:
        self.values += 1
        if self.values > MAX_VALUES:
            refuse(Reason.TOO_MANY_VALUES, limit=MAX_VALUES)
        kind, token = self._next()
        if kind == "mark":
            return self._container(token, depth + 1)
        return _ATOMS[kind](self, token)

    def _container(self, opener: str, depth: int) -> Any:
        if opener not in _CLOSERS:
            raise NotJSONError(self.position)
        if depth > MAX_DEPTH:
            refuse(Reason.TOO_DEEP)
        if opener == "{":
            return build_object([self._pair(depth) for _ in self._items("}")])
        return [self.value(depth) for _ in self._items(_CLOSERS[opener])]

    def _items(self, closer: str) -> Any:
        """Yield before every item, until the closing bracket; a trailing comma is allowed, as in Python."""
        while not self._skip(closer):
            yield
            if not self._skip(","):
                self._expect(closer)
                return

    def _pair(self, depth: int) -> tuple[str, Any]:
        kind, token = self._next()
        if kind != "text":
            raise NotJSONError(self.position)
        self._expect(":")
        return self.string(token), self.value(depth)

    def _next(self) -> tuple[str, str]:
        match = _TOKEN.match(self.text, self.position)
        if match is None or match.lastgroup is None:
            raise NotJSONError(self.position)
        self.position = match.end()
        return match.lastgroup, match[match.lastgroup]

    def _skip(self, mark: str) -> bool:
        match = _TOKEN.match(self.text, self.position)
        if match is None or match["mark"] != mark:
            return False
        self.position = match.end()
        return True

    def _expect(self, mark: str) -> None:
        if not self._skip(mark):
            raise NotJSONError(self.position)

    def string(self, token: str) -> str:
        inner = token.lstrip("uU")[1:-1]
        if "\\" in inner:
            inner = _ESCAPE.sub(self._replace_escape, inner)
        if _SURROGATE.search(inner):  # Python 2 prints an emoji as two escapes
            inner = inner.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        return inner

    def _replace_escape(self, match: re.Match[str]) -> str:
        unicode, latin, wide, octal, other = match.groups()
        if other is not None:
            unknown = other if other in "'\"\\" else f"\\{other}"  # Python keeps the backslash of an unknown escape
            return _SIMPLE_ESCAPES.get(other, unknown)
        code = int(octal, 8) if octal else int(unicode or latin or wide, 16)
        if code > sys.maxunicode:
            raise NotJSONError(self.position)
        return chr(code)

    def integer(self, token: str) -> int:
        if len(token) > MAX_DIGITS:
            refuse(Reason.NUMBER_TOO_LONG)
        return int(token)

    def decimal(self, token: str) -> float:
        return float(token)

    def name(self, token: str) -> bool | None:
        if token in _NOT_NUMBERS:
            refuse(Reason.NOT_A_NUMBER)
        if token not in _CONSTANTS:
            raise NotJSONError(self.position)
        return _CONSTANTS[token]


_ATOMS = {"text": _Reader.string, "int": _Reader.integer, "float": _Reader.decimal, "name": _Reader.name}
