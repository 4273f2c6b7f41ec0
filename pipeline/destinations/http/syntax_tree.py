"""The syntax tree of a compiled expression, read from the format in which CEL publishes it: cel.expr.CheckedExpr.

Source: cel-spec, proto/cel/expr/checked.proto and syntax.proto, in the wire format of Protocol Buffers. Only what the
bounds of an evaluation need is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

_VALUE_OF_ANY, _EXPRESSION = 2, 4  # field numbers: of google.protobuf.Any, of CheckedExpr
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4}
_MORE, _LOW_BITS = 0x80, 0x7F

Fields = dict[int, list[bytes]]  # field number -> its values; numbers as b""


@dataclass(frozen=True, slots=True)
class Node:
    """One node: a constant, name, select, call, list, map or loop, which is its `kind`.

    `name`: of a variable or a function; `size`: a constant's bytes. The parts of a loop are its range, its first
    accumulated value, its condition, its step and its result; `names` are its variables and, last, the accumulated one.
    """

    kind: str
    name: str = ""
    parts: tuple[Node, ...] = ()
    names: tuple[str, ...] = ()
    size: int = field(default=0)


def read_tree(serialized: bytes) -> Node:
    """Read the tree of a serialized expression."""
    checked = _read_fields(_read_fields(serialized)[_VALUE_OF_ANY][0])
    return _read_node(checked[_EXPRESSION][0])


def _read_node(message: bytes) -> Node:
    fields = _read_fields(message)
    for number, read in _READERS.items():
        if number in fields:
            return read(_read_fields(fields[number][0]))
    return Node("constant")


def _read_constant(fields: Fields) -> Node:
    return Node("constant", size=sum(len(value) for values in fields.values() for value in values))


def _read_name(fields: Fields) -> Node:
    return Node("name", _text(fields, 1))


def _read_select(fields: Fields) -> Node:
    return Node("select", _text(fields, 2), tuple(map(_read_node, fields.get(1, []))))


def _read_call(fields: Fields) -> Node:
    return Node("call", _text(fields, 2), tuple(map(_read_node, [*fields.get(1, []), *fields.get(3, [])])))


def _read_list(fields: Fields) -> Node:
    return Node("list", parts=tuple(map(_read_node, fields.get(1, []))))


def _read_map(fields: Fields) -> Node:
    entries = [_read_fields(entry) for entry in fields.get(2, [])]
    return Node(
        "map", parts=tuple(_read_node(part) for entry in entries for key in (3, 4) for part in entry.get(key, []))
    )


def _read_loop(fields: Fields) -> Node:
    names = tuple(filter(None, (_text(fields, 1), _text(fields, 8)))), _text(fields, 3)
    return Node(
        "loop", parts=tuple(_read_node(fields[number][0]) for number in (2, 4, 5, 6, 7)), names=(*names[0], names[1])
    )


_READERS = {
    3: _read_constant,
    4: _read_name,
    5: _read_select,
    6: _read_call,
    7: _read_list,
    8: _read_map,
    9: _read_loop,
}


def _text(fields: Fields, number: int) -> str:
    return fields[number][0].decode("utf-8", "replace") if number in fields else ""


def _read_fields(message: bytes) -> Fields:
    found: Fields = {}
    for number, value in _iterate_fields(message):
        found.setdefault(number, []).append(value)
    return found


def _iterate_fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(message):
        tag, position = _read_varint(message, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == _VARINT:
            _, position = _read_varint(message, position)
            yield number, b""
            continue
        if wire_type == _BYTES:
            length, position = _read_varint(message, position)
        else:
            length = _FIXED_BYTES[wire_type]
        yield number, message[position : position + length]
        position += length


def _read_varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        value |= (byte & _LOW_BITS) << shift
        position += 1
        if not byte & _MORE:
            return value, position
        shift += 7
