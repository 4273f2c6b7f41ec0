"""Every encrypted value of the installation is encrypted and decrypted for its row."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.documents.markdown import ROOT

NAMES = ("encrypt", "decrypt")
MIN_ARGUMENTS = 3  # the last is the row
LAYERS = ("pipeline", "tasks", "receiver")
THE_MODULE = ROOT / "pipeline/infra/crypto/encryption.py"


def _find_calls_without_row() -> Iterator[str]:
    for path in (path for layer in LAYERS for path in (ROOT / layer).rglob("*.py") if path != THE_MODULE):
        source = path.read_text()
        if "crypto.encryption" not in source and "crypto import encryption" not in source:
            continue
        for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
            name = getattr(call.func, "id", None) or getattr(call.func, "attr", None)
            if name in NAMES and len(call.args) + len(call.keywords) < MIN_ARGUMENTS:
                yield f"{path.relative_to(ROOT)}:{call.lineno}"


def test_no_value_is_encrypted_or_decrypted_without_its_row():
    assert list(_find_calls_without_row()) == []
