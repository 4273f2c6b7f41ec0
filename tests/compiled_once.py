"""What each test would compile anew for its own engine and its own app, compiled once for each process instead.

SQLAlchemy keeps its compiled statements with an engine, Jinja its templates and Werkzeug its rules with an app. Each
test has an engine and an app of its own, and compiling took half of its time.
"""

from __future__ import annotations

from types import CodeType
from typing import Any, ClassVar

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Connection, Dialect, Engine, event
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

MAX_STATEMENTS = 5_000

_DIALECTS: dict[type[Dialect], Dialect] = {}
_STATEMENTS: LRUCache[object, object] = LRUCache(MAX_STATEMENTS)


def share_compiled() -> None:
    """From now on the engines of this process share their statements, and its apps the builders of their URLs.

    The dialect is part of a statement's key, so it is shared, too.
    """
    Flask.url_rule_class = SharedRule
    if not event.contains(Engine, "engine_connect", _share):
        event.listen(Engine, "engine_connect", _share)


def _share(conn: Connection) -> None:
    if conn.engine._compiled_cache is not _STATEMENTS:
        conn.engine.dialect = _DIALECTS.setdefault(type(conn.dialect), conn.dialect)
        conn.engine._compiled_cache = _STATEMENTS
    conn.dialect = conn.engine.dialect


class SharedTemplates(BytecodeCache):
    """The code of templates that do not change while the tests run."""

    _codes: ClassVar[dict[str, CodeType]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get(bucket.key + bucket.checksum)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key + bucket.checksum] = bucket.code


class SharedRule(Rule):
    """A URL rule whose builder of URLs is compiled once, whichever app it is added to."""

    _builders: ClassVar[dict[object, Any]] = {}

    def _compile_builder(self, append_unknown: bool = True) -> Any:  # noqa: FBT001, FBT002  Werkzeug's signature
        key = (self.rule, tuple(self._trace), repr(self.defaults), append_unknown)
        if key not in self._builders:
            self._builders[key] = super()._compile_builder(append_unknown)
        return self._builders[key]
