"""One run from beginning to end, judged."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from bench.backfill.judge import judge
from bench.backfill.play import Script, play
from bench.running import Folder

FULL = Script(customers=20_000, rate=2.0, retry_after=3, kills=10, refusals=0, samples=40)
QUICK = Script(customers=1_000, rate=4.0, retry_after=3, kills=2, refusals=1, samples=8)


def measure(script: Script) -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory(prefix="cratewire-backfill-") as home:
        return judge(script, play(Folder(Path(home)), script))
