"""The page about the architecture against the Procfile and the import contracts."""

from __future__ import annotations

import re
import tomllib

from tests.documents.markdown import ROOT, get_code_names, get_section, parse_tables, read_document

PAGE = "docs/architecture.md"


def test_it_has_every_process_with_the_queues_that_it_consumes():
    lines = dict(line.split(": ", 1) for line in read_document("Procfile").splitlines())
    consumed = {name: re.findall(r"-Q (\S+)", command) for name, command in lines.items()}

    (rows,) = parse_tables(get_section(read_document(PAGE), "## The processes"))

    shown = {get_code_names([row])[0]: get_code_names([row], 1) for row in rows}
    assert shown == {name: queues[0].split(",") if queues else [] for name, queues in consumed.items()}


def test_it_has_the_layers_of_the_pipeline_in_their_order():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (layers,) = [one["layers"] for one in contracts if one.get("containers") == ["pipeline"]]

    section = get_section(read_document(PAGE), "## What may import what")

    shown = [line.strip() for line in section.splitlines() if line.startswith("    ")]
    assert shown == [re.sub(r" [:|] ", ", ", layer) for layer in layers]
