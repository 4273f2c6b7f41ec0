"""The result of a check of `cratewire doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FindingState = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. A `note` is information; only `wrong` makes the doctor fail."""

    name: str
    state: FindingState
    says: str
    advice: str = ""
