"""Each action has one place that writes it to the audit log: the operation, or else each door to it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pipeline.ledger.audit import ACTIONS

ROOT = Path(__file__).parents[2]


def list_recorded(folder: str) -> set[str]:
    """The actions that calls in a folder name, in functions whose name says that they record something."""
    found = set()
    for path in (ROOT / folder).rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        recording = [call for call in calls if "record" in ast.unparse(call.func)]
        values = [node for call in recording for node in ast.walk(call) if isinstance(node, ast.Constant)]
        found |= {node.value for node in values if node.value in ACTIONS}
    return found


@pytest.fixture(scope="module")
def operations():
    return list_recorded("pipeline")


def test_what_an_operation_records_no_page_command_or_answer_records_again(operations):
    assert "person.erased" in operations
    assert sorted(operations & list_recorded("receiver")) == []
