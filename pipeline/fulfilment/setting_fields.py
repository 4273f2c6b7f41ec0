"""The settings of a store's fulfilment, one row each, in the order in which a page shows them."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.fulfilment.setting_kinds import Choice, Day, Hours, Kind, Number, Switch, TimeOfDay, TimeZone
from pipeline.fulfilment.setting_lists import Aliases, ShipCodes, Texts, Waves


@dataclass(frozen=True, slots=True)
class SettingField:
    """One setting: its key in JSON and in the form, and what a page says about it."""

    key: str
    group: str
    label: str
    kind: Kind
    help: str = ""

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """Return the words with their labels, where there are any."""
        return self.kind.choices if isinstance(self.kind, Choice) else ()

    @property
    def bounds(self) -> tuple[int, int] | None:
        """Return the smallest and the largest value in a form, where there are any."""
        if isinstance(self.kind, Number):
            return self.kind.minimum, self.kind.maximum
        return (0, self.kind.maximum_hours) if isinstance(self.kind, Hours) else None


WHICH, WHEN, WHAT, HOW, AFTER, SAFETY = (
    "Which boxes",
    "When",
    "What is in them",
    "How they are shipped",
    "After shipping",
    "Safety",
)
FIELDS: tuple[SettingField, ...] = (
    SettingField(
        "earliest_order_at",
        WHICH,
        "Earliest date",
        Day(),
        "Boxes that should have left before this day are never sent. Choose the day on which the warehouse takes over.",
    ),
    SettingField("pull_ecommerce", WHICH, "One-off orders", Switch(), "Products that do not renew."),
    SettingField("pull_adhoc", WHICH, "Ad-hoc subscriptions", Switch(), "Each renews on its own day."),
    SettingField("pull_standard", WHICH, "Standard subscriptions", Switch(), "All renew on the same day."),
    SettingField(
        "require_active_subscription",
        WHICH,
        "Only active subscriptions",
        Switch(),
        "A box of a subscription that is not active is held until a person releases it.",
    ),
    SettingField("load_test_shipments", WHICH, "Test shipments, too", Switch()),
    SettingField(
        "future_days", WHEN, "Days ahead", Number(0, 90), "A box goes to the warehouse so many days before its date."
    ),
    SettingField(
        "standard_date_basis",
        WHEN,
        "Date of a standard box",
        Choice((("batch_end", "When its batch ends"), ("adjusted_ordered_at", "Its own date, as Extensiv does"))),
        "Cratejoy ships a standard box after its batch has ended.",
    ),
    SettingField(
        "standard_early_days", WHEN, "Days before the end of a batch", Number(0, 60), "0: when the batch has ended."
    ),
    SettingField(
        "batch_span_days",
        WHEN,
        "Longest batch, in days",
        Number(1, 400),
        "How far back boxes of a batch that ends now are searched for.",
    ),
    SettingField(
        "cooling_off_signup_s",
        WHEN,
        "Wait after a sign-up, in hours",
        Hours(720),
        "Cratejoy may refund and cancel in this time. A cancelled box then never reaches the warehouse.",
    ),
    SettingField("cooling_off_renewal_s", WHEN, "Wait after a renewal, in hours", Hours(720), "The same for renewals."),
    SettingField(
        "sku_suffix",
        WHAT,
        "Suffix of subscription SKUs",
        Choice(
            (
                ("none", "None"),
                ("yymm", "Year and month: BOX-2602"),
                ("year_week", "Year and week: BOX-2608"),
                ("cycle", "Number of the box: BOX-3"),
            )
        ),
    ),
    SettingField(
        "sku_aliases",
        WHAT,
        "SKUs at the warehouse",
        Aliases(),
        "One on each line: OURS = THEIRS. With its suffix first; an alias of the bare SKU replaces the suffix, too.",
    ),
    SettingField(
        "item_filter",
        WHAT,
        "Item filter",
        Choice((("none", "Off"), ("allow", "Only these SKUs"), ("deny", "All but these SKUs"))),
    ),
    SettingField(
        "item_filter_skus", WHAT, "SKUs of the item filter", Texts(), "One on each line, as Cratejoy has them."
    ),
    SettingField(
        "waves",
        WHAT,
        "Waves",
        Waves(),
        "Parts of a batch packed apart, one a line: Gifts = gift, or Large = Size: Large, or North = to CA US.",
    ),
    SettingField(
        "ship_code_mode",
        HOW,
        "Ship code",
        Choice(
            (
                ("order_type", "By kind: SUBSCRIPTION or ORDER"),
                ("shipping_charge", "By charge: CHARGED or FREE"),
            )
        ),
        "Cratejoy has no shipping methods.",
    ),
    SettingField(
        "ship_code_map",
        HOW,
        "Codes of the warehouse",
        ShipCodes(),
        "One on each line: SUBSCRIPTION = USPS / Priority, or ORDER = STANDARD.",
    ),
    SettingField(
        "reject_unmapped_ship_codes",
        HOW,
        "Hold boxes whose ship code is not mapped",
        Switch(),
        "Else it goes as it is.",
    ),
    SettingField(
        "country_format",
        HOW,
        "Countries",
        Choice((("adapter_default", "As the warehouse wants them"), ("alpha2", "US"), ("alpha3", "USA"))),
    ),
    SettingField(
        "partial_policy",
        AFTER,
        "When a box leaves in parts",
        Choice((("hold", "Wait for the last part"), ("first_package", "Notify the customer at the first part"))),
    ),
    SettingField(
        "multi_tracking",
        AFTER,
        "Several tracking numbers",
        Choice((("primary", "The first"), ("joined", "All, with commas"))),
        "Cratejoy has room for one.",
    ),
    SettingField(
        "confirm_without_tracking",
        AFTER,
        "Mark as shipped without a tracking number",
        Switch(),
        "After a day without one. Else a person is asked.",
    ),
    SettingField(
        "update_tracking_after_confirm",
        AFTER,
        "Write further tracking numbers",
        Switch(),
        "Cratejoy may mail the customer again.",
    ),
    SettingField(
        "confirm_after_s",
        AFTER,
        "Notify the customer so many hours later",
        Hours(240),
        "Cratejoy mails the customer when a box is marked as shipped.",
    ),
    SettingField("confirm_at_minute", AFTER, "Or at a time of day", TimeOfDay()),
    SettingField("time_zone", AFTER, "Time zone of the store", TimeZone(), "Such as America/Chicago."),
    SettingField("no_tracking_days", AFTER, "Days until a box without tracking is listed", Number(1, 60)),
    SettingField(
        "send_cancel", SAFETY, "Pass cancels on to the warehouse", Switch(), "Else a person cancels there by hand."
    ),
    SettingField(
        "cancel_if_externally_shipped",
        SAFETY,
        "Cancel at the warehouse what was marked as shipped at Cratejoy",
        Switch(),
    ),
    SettingField(
        "lookup_before_create",
        SAFETY,
        "Look an order up before it is created",
        Switch(),
        "Before the first create only where the warehouse may take a number twice; there it cannot be off.",
    ),
)
BY_KEY = {field.key: field for field in FIELDS}
