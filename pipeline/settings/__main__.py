"""`python -m pipeline.settings`: writes `.env.example` and the table of settings into the checkout it is run in."""

from __future__ import annotations

from pathlib import Path

from pipeline.settings import VARIABLES
from pipeline.settings.reference import write_reference

if __name__ == "__main__":
    write_reference(Path(), VARIABLES.values())
