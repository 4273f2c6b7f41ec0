"""docs/operations.md explains every code a reader can meet, and no code that does not exist."""

from __future__ import annotations

import ast
import re

import pytest

from pipeline.core.hooks import INTERNAL_ERROR, UNREADABLE_TEXTS
from pipeline.decode.limits import Reason
from pipeline.infra.http.faults import _FAULTS
from pipeline.processing.cpu_budget import TOO_COSTLY
from pipeline.processing.failures import POISON
from tests.documents.markdown import ROOT, get_code_names, get_section, parse_tables, read_document

PAGE = "docs/operations.md"


def codes_given_to(*functions: str) -> set[str]:
    """Every literal code handed to one of these functions, anywhere in the pipeline."""
    found = set()
    for path in (ROOT / "pipeline").rglob("*.py"):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            if getattr(call.func, "id", None) in functions:
                found |= {a.value for a in call.args[:2] if isinstance(a, ast.Constant) and is_code(a.value)}
    return found


def is_code(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[a-z_]+", value) is not None


def explained(heading: str) -> list[str]:
    return get_code_names(parse_tables(get_section(read_document(PAGE), heading))[0])


def test_every_reason_of_a_dead_hook_is_explained():
    of_decoding = {reason.value for reason in Reason}
    reasons = of_decoding | {POISON, TOO_COSTLY, INTERNAL_ERROR} | codes_given_to("BadHook", "_build_refusal")

    assert set(explained("## Why a hook is dead")) == reasons


def test_every_reason_of_a_dead_hook_has_its_words_on_the_pages():
    assert sorted(explained("## Why a hook is dead")) == sorted(UNREADABLE_TEXTS)


def test_every_reason_of_a_dead_delivery_is_explained():
    assert set(explained("## Why a delivery is dead")) == codes_given_to("Rejected")


def test_every_outcome_of_an_event_is_explained():
    outcomes = set(re.findall(r'\("(\w+)", (?:not |self\.)', read_document("pipeline/recording/candidate.py"))) | {
        "forwarded"
    }

    assert set(explained("## Outcomes of an event")) == outcomes


def test_every_fault_of_a_call_is_explained():
    assert {code for _, _, code in _FAULTS} <= set(explained("## What a lane waits for"))


@pytest.mark.parametrize("reason", explained("## What a lane waits for"))
def test_every_explained_wait_is_one_that_the_pipeline_can_name(reason):
    source = "\n".join(path.read_text() for path in (ROOT / "pipeline").rglob("*.py"))

    assert re.sub(r"\d{3}$|…$", "", reason) in source
