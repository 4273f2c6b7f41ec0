"""How the code is divided: `python -m bench.house` prints the figures of docs/decisions/0009-the-house.md.

Some are counted in the source. The others come from one gift order, which is decoded, validated, recorded and delivered
in this process while a profiler notes which of our files execution is in.
"""

from __future__ import annotations

import ast
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from types import FrameType

from bench import systems
from bench.hooks import Hook, make_hooks
from bench.in_process import STORE, CpuTimes, create_connected_store, push
from bench.processes import Folder
from pipeline.ledger.engine import make_engine
from pipeline.ledger.migrations import migrate

ROOT = Path(__file__).parent.parent
PACKAGES = ("schemas", "pipeline", "tasks", "receiver")
DIVIDED = ("pipeline", "receiver")  # the packages whose modules are counted by length
SHORT_LINES = 40
WARM_UP_HOOKS = 10
RETIRED = frozenset({"whoever", "somebody", "nobody", "everybody"})  # the words counted in the first figures


def main() -> None:
    """Print each figure on a line of its own."""
    files = trace_gift_order()
    print(f"files that one gift order runs through: {len(set(files))}")
    print(f"changes of file: {_count_changes(files)}")
    print(f"changes of room: {_count_changes([_get_room(file) for file in files])}")
    print(f"rooms in pipeline: {len(_list_rooms())}")
    modules = [path for package in DIVIDED for path in _list_modules(package)]
    short = sum(map(_is_short, modules))
    print(f"modules under {SHORT_LINES} lines in pipeline and receiver: {short} of {len(modules)}")
    trees = [ast.parse(path.read_text()) for package in PACKAGES for path in _list_modules(package)]
    words = [word.strip(".,:;()`'\"").lower() for tree in trees for word in _read_docstrings(tree)]
    retired = sum(word in RETIRED for word in words)
    print(f"retired words per 1,000 words of docstrings: {1000 * retired / len(words):.1f}")
    lengths = [length for tree in trees for length in _measure_functions(tree)]
    print(f"functions: {len(lengths)}, median length {statistics.median(lengths):g} lines, longest {max(lengths)}")


def trace_gift_order() -> list[str]:
    """Return the files that execution is in on the way of one gift order, in order, one for each call and return."""
    hooks = make_hooks(1_000)
    gift_order = next(hook for hook in hooks[WARM_UP_HOOKS:] if hook.event == "order_new" and hook.messages > 1)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cratewire-house-")))
        redis = stack.enter_context(systems.redis(Folder(home)))
        migrate(url := f"sqlite:///{home / 'ledger.db'}")
        engine = make_engine(url)
        stack.callback(engine.dispose)
        create_connected_store(engine)

        def deliver(sent: list[Hook]) -> None:
            push(engine, redis, [(STORE, hook) for hook in sent], batch=250, spent=CpuTimes())

        deliver(hooks[:WARM_UP_HOOKS])  # imports and first statements
        places: list[str] = []
        sys.setprofile(lambda frame, event, _argument: _note(places, frame, event))
        try:
            deliver([gift_order])
        finally:
            sys.setprofile(None)
    return places


def _note(places: list[str], frame: FrameType, event: str) -> None:
    """Add the file in which execution goes on: the function's own after a call, its caller's after a return."""
    following = frame if event == "call" else frame.f_back
    path = following.f_code.co_filename if event in {"call", "return"} and following else ""
    name = path.removeprefix(f"{ROOT}/")
    if name != path and name.split("/", 1)[0] in PACKAGES:
        places.append(name)


def _get_room(file: str) -> str:
    """Return the folder below the package, or the package for a file that lies directly in it."""
    package, *folders, _ = file.split("/")
    return "/".join([package, *folders[:1]])


def _count_changes(places: list[str]) -> int:
    return sum(before != after for before, after in pairwise(places))


def _list_rooms() -> list[Path]:
    return [path for path in (ROOT / "pipeline").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]


def _list_modules(package: str) -> list[Path]:
    return sorted(path for path in (ROOT / package).rglob("*.py") if "versions" not in path.parts)


def _is_short(path: Path) -> bool:
    return path.name != "__init__.py" and len(path.read_text().splitlines()) < SHORT_LINES


def _read_docstrings(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from (ast.get_docstring(node) or "").split()


def _measure_functions(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1


if __name__ == "__main__":
    main()
