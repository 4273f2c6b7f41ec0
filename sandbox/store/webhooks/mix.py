"""The oddities of hooks: a probability per oddity, and a draw of them for each event."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sandbox.store.switches import Switches

MAX_DELAY_S = 1.5  # seconds a delayed, overtaken or repeated hook waits at most


class BadMix(ValueError):
    """A mix that names an unknown oddity or no probability."""


@dataclass(frozen=True)
class Mix:
    """Probabilities between 0 and 1. `test`, `missing_recipient` and `asked_recipient` change the events, the others
    only their hooks.
    """

    form_b: float = 0.0
    form_c: float = 0.0
    form_d: float = 0.0
    duplicate: float = 0.0
    broken: float = 0.0
    epoch_ms: float = 0.0
    links: float = 0.0
    integer_status: float = 0.0
    test: float = 0.0
    delay: float = 0.0
    reorder: float = 0.0
    lose: float = 0.0
    missing_recipient: float = 0.0
    unknown_event: float = 0.0
    decimal_money: float = 0.0
    text_values: float = 0.0
    invisible: float = 0.0
    asked_recipient: float = 0.0

    @classmethod
    def of(cls, wanted: Mapping[str, Any]) -> "Mix":
        known = {field.name for field in fields(cls)}
        for name, value in wanted.items():
            if name not in known or isinstance(value, bool) or not isinstance(value, int | float):
                raise BadMix(f"{name!r} is not a switch with a probability")
            if not 0 <= value <= 1:
                raise BadMix(f"{name} lies between 0 and 1")
        return cls(**wanted)


@dataclass(frozen=True)
class SendPlan:
    """How the hook of an event is sent. `copies` are the seconds after which the same body is sent again."""

    form: str
    dates: str
    links: bool
    integer_status: bool
    lost: bool
    delay_s: float
    overtaken: bool
    copies: tuple[float, ...]
    broken: bool
    unknown: bool
    money: str
    booleans: str
    sources: str
    invisible: bool


def draw_send_plan(mix: Mix, switches: Switches, rng: random.Random) -> SendPlan:
    overtaken = rng.random() < mix.reorder
    held = overtaken or rng.random() < mix.delay
    return SendPlan(
        form=draw_form(mix, switches.form, rng),
        dates="epoch_ms" if draw_is_epoch(mix, switches, rng) else switches.dates,
        links=switches.relations == "links" or rng.random() < mix.links,
        integer_status=switches.integer_status or rng.random() < mix.integer_status,
        lost=rng.random() < mix.lose,
        delay_s=rng.uniform(0.02, MAX_DELAY_S / 3) if held else 0.0,
        overtaken=overtaken,
        copies=draw_copies(rng) if rng.random() < mix.duplicate else (),
        broken=rng.random() < mix.broken,
        unknown=rng.random() < mix.unknown_event,
        **draw_values(mix, switches, rng),
    )


def draw_is_epoch(mix: Mix, switches: Switches, rng: random.Random) -> bool:
    return switches.dates == "epoch_ms" or rng.random() < mix.epoch_ms


def draw_values(mix: Mix, switches: Switches, rng: random.Random) -> dict[str, Any]:
    """The formats of amounts, booleans, sources and addresses.

    Unused options draw no number: older seeds keep their bodies.
    """
    decimal = mix.decimal_money and rng.random() < mix.decimal_money
    texts = mix.text_values and rng.random() < mix.text_values
    hidden = mix.invisible and rng.random() < mix.invisible
    return {
        "money": ("decimal_text" if texts else "decimal") if decimal else "text" if texts else switches.money,
        "booleans": "text" if texts else switches.booleans,
        "sources": "text" if texts else switches.sources,
        "invisible": bool(hidden) or switches.invisible,
    }


def draw_form(mix: Mix, usual: str, rng: random.Random) -> str:
    luck = rng.random()
    for form, chance in (("B", mix.form_b), ("C", mix.form_c), ("D", mix.form_d)):
        if luck < chance:
            return form
        luck -= chance
    return usual


def draw_copies(rng: random.Random) -> tuple[float, ...]:
    """Between one and three copies, each at once or later."""
    return tuple(rng.choice((0.0, rng.uniform(0.05, MAX_DELAY_S))) for _ in range(rng.randint(1, 3)))
