"""Where flower listens, when it starts, and its password."""

from __future__ import annotations

from functools import partial

from environs import validate

from pipeline.settings.variable import check_port, declare

_workers = partial(declare, "Workers")

HOST: str = _workers("CRATEWIRE_FLOWER_HOST", "The address that flower listens on.", default="127.0.0.1")
PORT: int = _workers("CRATEWIRE_FLOWER_PORT", "The port that flower listens on.", default=5555, check=check_port)
AT_START: bool = _workers(
    "CRATEWIRE_FLOWER_AT_START",
    "Whether `cratewire run` starts flower at once; otherwise when its address is first opened.",
    default=False,
    detail="Flower shows what has happened since it was started.",
)
PASSWORD: str = _workers(
    "CRATEWIRE_FLOWER_PASSWORD",
    "Flower's password; the user is `cratewire`.",
    unset="generated once, in `flower_password` in the data directory",
    check=validate.Length(min=8),
    secret=True,
)
