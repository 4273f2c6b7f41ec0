"""The JSON documents of several runs become one table."""

from __future__ import annotations

import json
from pathlib import Path

from bench.chaos.accounting import Row
from bench.chaos.report import read


def test_a_row_is_skipped_in_the_report_too(tmp_path: Path):
    file = tmp_path / "run.json"
    file.write_text(json.dumps([Row("spool disk full", "sqlite", skipped="no root").as_json()]))

    assert [row.skipped for row in read([file])] == ["no root"]
