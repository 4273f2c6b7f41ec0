"""How often boxes are searched and a warehouse is asked, how many go out at once, and when a worker counts as gone."""

from __future__ import annotations

from functools import partial

from environs import validate

from pipeline.settings.variable import declare

_fulfilment = partial(declare, "Fulfilment")

PULL: float = _fulfilment(
    "CRATEWIRE_FULFILMENT_PULL_SECONDS",
    "How often Cratejoy's lists are searched for boxes, and for boxes that were cancelled.",
    default=300.0,
    unit="seconds",
    detail="Hooks have a box looked at sooner.",
    check=validate.Range(1.0, 86_400.0),
)
TRACKING: float = _fulfilment(
    "CRATEWIRE_FULFILMENT_TRACKING_SECONDS",
    "How often a warehouse is asked what has left.",
    default=900.0,
    unit="seconds",
    check=validate.Range(1.0, 86_400.0),
)
AT_ONCE: int = _fulfilment(
    "CRATEWIRE_FULFILMENT_AT_ONCE",
    "How many boxes of a shop are given to its warehouse at the same time, if the warehouse takes so many.",
    default=4,
    unit="boxes",
    check=validate.Range(1, 16),
)
STUCK: float = _fulfilment(
    "CRATEWIRE_FULFILMENT_STUCK_SECONDS",
    "How long a box may be on its way to a warehouse, or its tracking to Cratejoy before its worker counts as gone "
    "and it is looked up.",
    default=600.0,
    unit="seconds",
    detail="Longer than any request takes.",
    check=validate.Range(15.0, 86_400.0),
)
