"""How the deployment files name the Procfile's commands and the settings."""

from __future__ import annotations

from pathlib import Path

from pipeline.settings import VARIABLES

ROOT = Path(__file__).parents[2]
COMMANDS = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
SETTINGS = {row.name for row in VARIABLES.values()}
EXEC = "exec "  # the shell fills in the variables and is replaced by the process
