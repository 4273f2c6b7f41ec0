"""The settings of retention: for how many days each kind of data is kept."""

from __future__ import annotations

from functools import partial

from environs import validate

from pipeline.settings.variable import declare

MAX_DAYS = 36_500

_retention = partial(declare, "Retention", unit="days", check=validate.Range(0, MAX_DAYS))

BODIES = _retention(
    "CRATEWIRE_KEEP_BODIES_DAYS",
    "How long the raw bytes of a hook are kept; `0` for ever, here and below "
    "([docs/personal-data.md](docs/personal-data.md)).",
    default=30,
    detail="At the latest they go with their event.",
)
MESSAGES = _retention(
    "CRATEWIRE_KEEP_MESSAGES_DAYS",
    "How long the content of a message is kept after it was sent or refused.",
    default=90,
    detail="That it was sent, when and with what outcome is kept as long as its event. A refused message whose "
    "content is gone cannot be replayed.",
)
CALLS = _retention("CRATEWIRE_KEEP_CALLS_DAYS", "How long the records of calls to platforms are kept.", default=30)
DEAD_HOOKS = _retention(
    "CRATEWIRE_KEEP_DEAD_HOOKS_DAYS",
    "How long dead hooks are kept, replayed or not.",
    default=90,
    detail="Those that were never replayed are counted in `cratewire status`.",
)
EVENTS = _retention(
    "CRATEWIRE_KEEP_EVENTS_DAYS",
    "How long events are kept, with all that belongs to them.",
    default=400,
    detail="Their identities are kept for ever, so that a repeat is still recognised; counts include them.",
)
ATTRIBUTE_CHANGES = _retention(
    "CRATEWIRE_KEEP_ATTRIBUTE_CHANGES_DAYS",
    "How long earlier values of people's attributes are kept.",
    default=400,
    detail="The values of now are kept as long as the person.",
)
PEOPLE = _retention(
    "CRATEWIRE_KEEP_PEOPLE_DAYS",
    "How long people are kept after the store last showed anything about them.",
    default=0,
    detail="Only people whom no kept event and no kept message concerns are deleted, so set the others no longer. "
    "Nothing is deleted at the platforms.",
)
