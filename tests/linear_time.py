"""Texts that grow, and a judgement whether what reads them takes more than its share of time for longer ones.

Processor time is compared with itself, at one length and at four times that: a reader that is linear takes four times
as long, one that is quadratic sixteen times. What is done within a few milliseconds is not judged.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import pipeline
import receiver
import schemas
import tasks

PACKAGES = (schemas, pipeline, tasks, receiver)
LENGTH_FACTOR = 4
LENGTHS = (750, 3_000, 12_000, 48_000)  # each four times the one before; what is quadratic shows long before the last
MIN_JUDGED_S = 0.03  # a shorter time says nothing
MAX_TIME_FACTOR = 9.0  # between what is linear (4) and what is quadratic (16)
# From a sum of a linear and a square part that grows by this factor, the next step makes at most 7.3.
LINEAR_TIME_FACTOR = 5.0
ATTEMPTS = 3  # the machine may have been busy: the best of them counts

METHODS = ("search", "match", "fullmatch", "sub", "findall", "finditer", "split")
SPACES = (" ", "\n", "\t", "\u00a0", "\x00")
BRACKETS = ("{", "[", "(", "<", "}", "]", ")", ">", "[]", "{}", "<a", "<>")
ESCAPES = ("\\", "\\n", '\\"', "\\\\", "\\u0000", "\\x41", "\\ud83d", "%41", "%40", "%")
QUOTES = ('"', "'", '"",', "'',", "u''")
MARKS = (",", ":", ";", "=", "&", "a=1&", "@", ".", "-", "_", "/", "|", "#", "?")
DIGITS = ("0", "1", "9", "1,", "1e", "1.", "-1", ".1", "12:", "2026-")
LETTERS = ("a", "Z", "T", "é", "\u200b", "u", "True", "a@", "a.", "@a.")
PAIRS = ('"a":1,', "'a': 1, ", '"a":{},', '"a":"",', '"a":[1],')
UNITS = (*SPACES, *BRACKETS, *ESCAPES, *QUOTES, *MARKS, *DIGITS, *LETTERS, *PAIRS)
BEGINNINGS = ("", "{", '{"', '"', "[", "a@", "https://", '{"a":"')
ENDS = ("", "x", '"}')
NESTS = (
    ('{"a":', "}"),
    ("[", "]"),
    ('{"a":1,"a":1,"b":', "}"),
    ('{"a":[[]],"a":[[]],"b":', "}"),
    ("{'a':1,'a':1,'b':", "}"),
    ("(", ")"),
    ('{\\"a\\":1,\\"a\\":1,\\"b\\":', "}"),
)
LAYER = 60  # characters of a text for each layer of a nest


def shapes() -> Iterator[tuple[str, Callable[[int], str]]]:
    """A name, and what makes such a text of about so many characters."""
    for unit, begins, ends in product(UNITS, BEGINNINGS, ENDS):
        yield f"{begins!r} {unit!r}… {ends!r}", lambda n, u=unit, b=begins, e=ends: b + u * (n // len(u)) + e
    for opens, closes in NESTS:
        yield f"{opens!r}…{closes!r}", lambda n, o=opens, c=closes: nest(o, c, n)


def nest(opens: str, closes: str, length: int) -> str:
    """As deep as long, around a text that fills it."""
    layers = length // LAYER
    filler = "1" if opens == "(" else '"' + "f" * (length // 2) + '"'
    return opens * layers + filler + closes * layers


def is_superlinear(reads: Callable[[str], object], make: Callable[[int], str]) -> bool:
    """Whether four times the text takes much more than four times the time.

    A length is left out where even a time that grows with the square of the length would be too short to be judged; the
    last one, which takes as long as all others three times, also where the time has grown like the text until then.
    """
    at_most = MIN_JUDGED_S  # what the next length takes if time grows with the square
    for length in LENGTHS:
        if at_most >= MIN_JUDGED_S:
            took = measure_cpu_s(reads, make(length))
            if took > MIN_JUDGED_S and _is_judged_superlinear(reads, make, length, took):
                return True
            shorter = length // LENGTH_FACTOR
            if length == LENGTHS[-2] and took <= LINEAR_TIME_FACTOR * measure_cpu_s(reads, make(shorter)):
                return False
            at_most = took
        at_most *= LENGTH_FACTOR**2
    return False


def _is_judged_superlinear(
    reads: Callable[[str], object], make: Callable[[int], str], length: int, took: float
) -> bool:
    shorter, text = make(length // LENGTH_FACTOR), make(length)
    before = measure_cpu_s(reads, shorter)
    if took > _allowed(before):
        took = min(took, *(measure_cpu_s(reads, text) for _ in range(ATTEMPTS)))
        before = max(before, measure_cpu_s(reads, shorter))
    return took > _allowed(before)


def _allowed(before: float) -> float:
    return max(MIN_JUDGED_S, MAX_TIME_FACTOR * max(before, MIN_JUDGED_S / LENGTH_FACTOR**2))


def measure_cpu_s(reads: Callable[[str], object], text: str) -> float:
    """Processor time of this thread."""
    began = time.thread_time()
    with suppress(Exception):  # what it makes of the text is not the question here
        reads(text)
    return time.thread_time() - began


@cache
def import_modules() -> tuple[ModuleType, ...]:
    """Every module of the product."""
    names = [
        found.name
        for room in PACKAGES
        for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}.")
        if not found.name.endswith((".__main__", ".env"))  # these run when they are imported
    ]
    return (*PACKAGES, *map(importlib.import_module, names))


def list_patterns() -> dict[str, tuple[re.Pattern[Any], tuple[str, ...]]]:
    """Name -> every compiled pattern of the product, and what is done with it: everything, if that does not show."""
    done = find_pattern_methods()
    found: dict[str, tuple[re.Pattern[Any], tuple[str, ...]]] = {}
    for module in import_modules():
        for name, pattern in find_patterns(module):
            found[f"{module.__name__}.{name}"] = pattern, tuple(sorted(done.get(name, METHODS)))
    return found


def find_patterns(module: ModuleType) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """The patterns among a module's values, and among those of its classes and collections."""
    for name, value in vars(module).items():
        mine = isinstance(value, type) and value.__module__ == module.__name__
        inner = vars(value).values() if mine else value.values() if isinstance(value, dict) else ()
        inner = value if isinstance(value, (list, tuple, set, frozenset)) else inner
        for one in (value, *inner):
            if isinstance(one, re.Pattern):
                yield name, one


@cache
def find_pattern_methods() -> dict[str, set[str]]:
    """The name of a pattern -> the methods that the product calls of it."""
    used: dict[str, set[str]] = defaultdict(set)
    for tree in parse_sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in METHODS and isinstance(node.value, ast.Name):
                used[node.value.id].add(node.attr)
    return used


def find_inline_patterns() -> dict[str, tuple[re.Pattern[Any], tuple[str, ...]]]:
    """Patterns that are written where they are used: `re.findall("…", text)`."""
    found: dict[str, tuple[re.Pattern[Any], tuple[str, ...]]] = {}
    for node in (node for tree in parse_sources() for node in ast.walk(tree) if isinstance(node, ast.Call)):
        function = node.func
        is_re = isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name)
        if is_re and function.value.id == "re" and function.attr in METHODS:
            pattern = ast.literal_eval(node.args[0])
            found[f"re.{function.attr}({pattern!r})"] = re.compile(pattern), (function.attr,)
    return found


@cache
def parse_sources() -> tuple[ast.Module, ...]:
    """The product's source."""
    folders = [Path(room.__file__).parent for room in PACKAGES if room.__file__]
    return tuple(ast.parse(path.read_text()) for folder in folders for path in sorted(folder.rglob("*.py")))


def apply_pattern(pattern: re.Pattern[Any], method: str) -> Callable[[str], object]:
    """What a text goes through when this is done with it."""
    arguments = ("",) if method == "sub" else ()
    if isinstance(pattern.pattern, bytes):
        arguments = tuple(one.encode() for one in arguments)
    call = getattr(pattern, method)

    def reads(text: str) -> object:
        given = text.encode("utf-8", "surrogatepass") if isinstance(pattern.pattern, bytes) else text
        result = call(*arguments, given)
        return list(result) if method == "finditer" else result

    return reads
