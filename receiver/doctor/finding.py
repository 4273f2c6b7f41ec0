"""What the doctor finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FindingState = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. A note is worth knowing; only `wrong` makes the installation unsound."""

    name: str
    state: FindingState
    says: str
    advice: str = ""
