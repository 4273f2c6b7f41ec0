"""The table of remedies: for each cause where it stands, the one button that mends it, and the command for operators.

A button either does something (`action`, a row of `pipeline.attention.actions`) or leads to a page (`leads_to`, which
the pages know). `asks` is the question before an action that can start campaigns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.attention.item import AttentionItem

Group = Literal[
    "nothing arrives", "nothing leaves", "some cannot leave", "Cratejoy's hooks", "unreadable", "reading the store"
]
Action = Literal[
    "check_again",
    "resume_chain",
    "send_canary",
    "look_for_hooks",
    "register_hooks",
    "try_keys",
    "send_now",
    "try_cratejoy_keys",
    "read_customers",
    "compare",
    "remove_hooks",
    "take_as_usual",
    "resume_warehouse",
]
Place = Literal[
    "keys",
    "settings",
    "refused",
    "unreadable",
    "retry_refused",
    "retry_unreadable",
    "removal",
    "example",
    "events",
    "boxes",
    "tracking",
    "warehouse",
]


@dataclass(frozen=True, slots=True)
class Remedy:
    """A row of the table. `button`: its words. `more`: another way, as words and a place. `command`: with {store}."""

    group: Group
    button: str
    command: str
    action: Action | None = None
    leads_to: Place | None = None
    asks: str = ""
    more: tuple[str, Place] | None = None

    def format_command(self, item: AttentionItem) -> str:
        """The command for this item."""
        return self.command.format(store=item.store or "NAME")


_CHECK, _LOOK, _DOCTOR = "Check again", "Look at it", "cratewire doctor"
_READ_AGAIN = (
    "The profiles of all customers are sent again. Campaigns that start when a person enters a segment may start: "
    "pause them first."
)

REMEDIES: dict[str, Remedy] = {
    "database_trouble": Remedy("nothing arrives", _CHECK, _DOCTOR, "check_again"),
    "database": Remedy("nothing arrives", _CHECK, _DOCTOR, "check_again"),
    "redis": Remedy("nothing arrives", _CHECK, _DOCTOR, "check_again"),
    "disk_nearly_full": Remedy("nothing arrives", _CHECK, _DOCTOR, "check_again"),
    "release_broken": Remedy("nothing arrives", "Go on all the same", "cratewire chain resume", "resume_chain"),
    "memory_short": Remedy("nothing arrives", _CHECK, _DOCTOR, "check_again"),
    "sweeps_unsent": Remedy("nothing arrives", _CHECK, _DOCTOR, "check_again"),
    "chain_dead": Remedy("nothing arrives", _CHECK, _DOCTOR, "check_again"),
    "way_in": Remedy("nothing arrives", "Send a test hook now", _DOCTOR, "send_canary"),
    "spool_in_use": Remedy("nothing arrives", _CHECK, _DOCTOR, "check_again"),
    "silence": Remedy(
        "nothing arrives", "Look for them now", "cratewire hooks audit --store {store}", "look_for_hooks"
    ),
    "hooks_turned_away": Remedy(
        "nothing arrives", "Register the hooks again", "cratewire hooks sync --store {store}", "register_hooks"
    ),
    "platform_keys_refused": Remedy(
        "nothing leaves",
        "Try the saved keys again",
        "cratewire connections resume --store {store}",
        "try_keys",
        more=("Enter new keys", "keys"),
    ),
    "platform_takes_nothing": Remedy("nothing leaves", "Try again now", "cratewire status", "send_now"),
    "warehouse_paused": Remedy(
        "nothing leaves",
        "Go on",
        "cratewire fulfilment resume --store {store}",
        "resume_warehouse",
        more=("See the warehouse", "warehouse"),
    ),
    "warehouse_takes_nothing": Remedy(
        "nothing leaves",
        "Try again now",
        "cratewire fulfilment status --store {store}",
        "resume_warehouse",
        more=("See the warehouse", "warehouse"),
    ),
    "messages_refused": Remedy(
        "some cannot leave",
        "Try them again …",
        "cratewire dead list",
        leads_to="retry_refused",
        more=("See them", "refused"),
    ),
    "marketplace_unanswered": Remedy(
        "some cannot leave", "Answer it", "cratewire stores show {store}", leads_to="settings"
    ),
    "boxes_held": Remedy(
        "some cannot leave", _LOOK, "cratewire fulfilment orders --store {store} --state held", leads_to="boxes"
    ),
    "boxes_late": Remedy("some cannot leave", _LOOK, "cratewire fulfilment status --store {store}", leads_to="boxes"),
    "boxes_old": Remedy("some cannot leave", _LOOK, "cratewire fulfilment status --store {store}", leads_to="boxes"),
    "boxes_changed": Remedy(
        "some cannot leave", _LOOK, "cratewire fulfilment orders --store {store}", leads_to="boxes"
    ),
    "tracking_quarantined": Remedy(
        "some cannot leave", "Decide about them", "cratewire fulfilment tracking --store {store}", leads_to="tracking"
    ),
    "hooks_not_registered": Remedy(
        "Cratejoy's hooks", "Register them now", "cratewire hooks audit --store {store}", "register_hooks"
    ),
    "cratejoy_keys_refused": Remedy(
        "Cratejoy's hooks",
        "Try the saved keys again",
        "cratewire connect --store {store}",
        "try_cratejoy_keys",
        more=("Enter new keys", "keys"),
    ),
    "cratejoy_keys_shared": Remedy(
        "Cratejoy's hooks", _CHECK, "cratewire hooks remove --store NAME --forget-keys", "check_again"
    ),
    "event_rate_changed": Remedy(
        "Cratejoy's hooks",
        "Take it as usual",
        "cratewire reconcile report --store {store}",
        "take_as_usual",
        more=("See these events", "events"),
    ),
    "hooks_unreadable": Remedy(
        "unreadable",
        "See them",
        "cratewire dead list",
        leads_to="unreadable",
        more=("Try them again …", "retry_unreadable"),
    ),
    "event_keys_changed": Remedy(
        "unreadable",
        "Take it as usual",
        "cratewire events list --store {store}",
        "take_as_usual",
        more=("See the first example", "example"),
    ),
    "backfill_stopped": Remedy(
        "reading the store",
        "Read them again",
        "cratewire backfill start --store {store}",
        "read_customers",
        asks=_READ_AGAIN,
    ),
    "reconciliation_stopped": Remedy(
        "reading the store", "Compare now", "cratewire reconcile run --store {store}", "compare"
    ),
    "removal_waiting": Remedy(
        "reading the store",
        "Try again now",
        "cratewire stores remove {store}",
        "remove_hooks",
        more=("Keep the store, or leave the hooks", "removal"),
    ),
    "clock": Remedy("reading the store", _CHECK, _DOCTOR, "check_again"),
}
