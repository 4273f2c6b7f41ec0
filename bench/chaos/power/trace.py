"""Reads strace's output: what was done to files, and when.

The lines are those of `strace -f -ttt -T -y -xx`: every string and path is written in hexadecimal digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

CALLS = (
    *("openat", "open", "creat", "write", "writev", "pwrite64", "pwritev", "pwritev2", "ftruncate", "truncate"),
    *("fallocate", "fsync", "fdatasync", "rename", "renameat", "renameat2", "unlink", "unlinkat"),
)
_LINE = re.compile(r"^(\d+)\s+(\d+\.\d+) (.*)$", re.DOTALL)
_RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$", re.DOTALL)
_CALL = re.compile(r"^(\w+)\((.*)\)\s+= (\d+)(?:<([^>]*)>)?.*? <(\d+\.\d+)>$", re.DOTALL)
_UNFINISHED = " <unfinished ...>"
_DESCRIPTOR = re.compile(r"^(\d+)<((?:\\x[0-9a-f]{2})+)>(\(deleted\))?")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass(frozen=True, slots=True)
class FileCall:
    """A call that succeeded: open, write, truncate, extend, sync, rename or unlink. Times are s since the epoch.

    `offset` is None where the file's own position counts; `size` is the file's after a truncation or extension.
    """

    began: float
    ended: float
    kind: str
    path: str
    descriptor: int = -1
    flags: frozenset[str] = frozenset()
    offset: int | None = None
    data: bytes = b""
    size: int = 0
    target: str = ""  # the new name of a rename


def read_calls(lines: Iterable[str]) -> Iterator[FileCall]:
    """Yield the calls in the order in which they ended."""
    open_calls: dict[str, tuple[float, str]] = {}  # thread -> when its call began, and the call's text so far
    for line in lines:
        found = _LINE.match(line.rstrip("\n"))
        if found is None:
            continue
        thread, at, text = found[1], float(found[2]), found[3]
        if text.endswith(_UNFINISHED):
            open_calls[thread] = at, text.removesuffix(_UNFINISHED)
            continue
        began, is_resumed = at, _RESUMED.match(text)
        if is_resumed:
            began, first = open_calls.pop(thread, (at, f"{is_resumed[1]}("))
            text = first + is_resumed[2]
        call = _CALL.match(text)
        if call is not None:
            ended = at if is_resumed else at + float(call[5])
            yield from _read_call(call[1], call[2], int(call[3]), call[4] or "", began, ended)


def _read_call(name: str, text: str, result: int, opened: str, began: float, ended: float) -> Iterator[FileCall]:
    if name in ("open", "openat", "creat"):
        if opened.startswith("\\x"):
            flags = frozenset(re.findall(r"O_\w+", text)) | ({"O_CREAT", "O_TRUNC"} if name == "creat" else set())
            yield FileCall(began, ended, "open", _decode(opened).decode(), result, flags)
        return
    if name.startswith(("rename", "unlink", "truncate")):
        paths = [_decode(part).decode() for part in _STRING.findall(text)]
        if name.startswith("rename"):
            yield FileCall(began, ended, "rename", paths[0], target=paths[1])
        elif name.startswith("unlink"):
            yield FileCall(began, ended, "unlink", paths[0])
        else:
            yield FileCall(began, ended, "truncate", paths[0], size=int(text.rpartition(", ")[2]))
        return
    place = _DESCRIPTOR.match(text)
    if place is None or place[3]:  # a socket, or a file without a name
        return
    yield from _read_descriptor_call(name, text, result, place, (began, ended))


def _read_descriptor_call(
    name: str, text: str, result: int, place: re.Match[str], times: tuple[float, float]
) -> Iterator[FileCall]:
    path, descriptor, last = _decode(place[2]).decode(), int(place[1]), text.rpartition(", ")[2]
    if name in ("fsync", "fdatasync"):
        yield FileCall(*times, "sync", path, descriptor)
    elif name == "ftruncate":
        yield FileCall(*times, "truncate", path, descriptor, size=int(last))
    elif name == "fallocate":
        offset, size = map(int, text.split(", ")[-2:])
        if ", 0, " in text:  # it makes the file longer
            yield FileCall(*times, "extend", path, descriptor, size=offset + size)
    else:
        data = b"".join(map(_decode, _STRING.findall(text)))[:result]
        yield FileCall(*times, "write", path, descriptor, offset=_read_offset(name, text), data=data)


def _read_offset(name: str, text: str) -> int | None:
    numbers = [int(part) for part in re.findall(r", (\d+)(?=,|$)", text)]
    if name == "pwrite64":
        return numbers[-1]
    return numbers[1] if name.startswith("pwritev") else None  # the first is the number of pieces


def _decode(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
