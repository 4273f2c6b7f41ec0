"""Nearly every hook died of an error of our own: the chain stands, so that a release cannot cost a day's hooks."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.ledger.monitoring.alarms import OPERATOR
from pipeline.processing.failure_limit import get_chain_stop
from pipeline.processing.release import get_running_version

NAME = "release_broken"
_EFFECT = (
    "Hooks are kept in the inbox and do not become events. They are tried every ten seconds, and go on if they can."
)
_TO_DO = (
    "Install the version before, or one in which this is mended. If it is the hooks that are wrong: `cratewire chain "
    "resume`, after which those that fail become dead hooks and can be replayed."
)


def _find_items(context: Context) -> Iterator[AttentionItem]:
    found = get_chain_stop(context.redis)
    if found is None:
        return
    yield AttentionItem(
        NAME,
        "chain",
        OPERATOR,
        f"the chain stands: with version {found.version} nearly all hooks fail in {found.link} ({found.error})",
        _EFFECT,
        _TO_DO,
        found.since,
        tried=(
            f"{found.hooks} hooks of one batch failed, and so did others that wait. Now runs {get_running_version()}.",
        ),
        reason=found.error,
    )


CAUSE = Cause(NAME, _find_items)
