"""`cratewire doctor`."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import click
from rich.console import Console

from pipeline.core.errors import Misconfigured, NoDataDirectory
from pipeline.settings import read_environment
from receiver.cli.context import data_option, load_settings
from receiver.cli.output import json_option, make_table, show, styled
from receiver.doctor.examine import DATA_DIRECTORY_ADVICE, run_checks
from receiver.doctor.finding import Finding

COLOURS = {"ok": "green", "note": "yellow", "wrong": "red"}


@click.command(epilog="Example: cratewire doctor --json")
@data_option
@json_option
def doctor(data: Path | None, as_json: bool) -> None:
    """Check this installation and say how to fix each fault. The exit code is 0 only if nothing is wrong."""
    findings = _run_checks(data)
    sound = all(finding.state != "wrong" for finding in findings)
    document = {"sound": sound, "findings": [dataclasses.asdict(finding) for finding in findings]}
    show(document, as_json=as_json, render=lambda console: _print_table(console, findings))
    raise SystemExit(0 if sound else 1)


def _run_checks(data: Path | None) -> list[Finding]:
    try:
        settings = load_settings(data)
    except NoDataDirectory as error:
        return [Finding("data directory", "wrong", str(error), DATA_DIRECTORY_ADVICE)]
    except Misconfigured as error:
        return [Finding("settings", "wrong", str(error), "Compare with .env.example.")]
    return list(run_checks(settings, read_environment(), time.time))


def _print_table(console: Console, findings: list[Finding]) -> None:
    table = make_table("check", "state", "found")
    for finding in findings:
        advice = f"→ {finding.advice}" if finding.advice else ""
        state = styled(finding.state, COLOURS[finding.state])
        table.add_row(finding.name, state, " ".join(filter(None, (finding.says, advice))))
    console.print(table)
