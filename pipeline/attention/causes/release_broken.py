"""Nearly every hook died of an error of our own: the chain stands, so that a release cannot cost a day's hooks."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.attention.item import Cause, Item, Sources
from pipeline.chain.limit import our_version, stopped
from pipeline.ledger.silence.alarms import OPERATOR

NAME = "release_broken"
_EFFECT = (
    "Hooks are kept in the inbox and do not become events. They are tried every ten seconds, and go on if they can."
)
_TO_DO = (
    "Install the version before, or one in which this is mended. If it is the hooks that are wrong: `cratewire chain "
    "resume`, after which those that fail become dead hooks and can be replayed."
)


def _look(sources: Sources) -> Iterator[Item]:
    found = stopped(sources.redis)
    if found is None:
        return
    yield Item(
        NAME,
        "chain",
        OPERATOR,
        f"the chain stands: with version {found.version} nearly all hooks fail in {found.link} ({found.error})",
        _EFFECT,
        _TO_DO,
        found.since,
        tried=(f"{found.hooks} hooks of one batch failed, and so did others that wait. Now runs {our_version()}.",),
        reason=found.error,
    )


CAUSE = Cause(NAME, _look)
