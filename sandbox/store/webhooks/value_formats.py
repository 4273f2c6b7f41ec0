"""The same values in other dress: dates, amounts and booleans in other forms, addresses with invisible characters."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.store import dates
from sandbox.store.state import Row

DATES = frozenset(
    ("adjusted_fulfillment_date", "adjusted_ordered_at", "created_at", "end_date", "fulfillment_date", "placed_at",
     "send_date", "shipped_at", "skipped_date", "start_date", "target_at")
)  # fmt: skip
AMOUNTS = frozenset(
    ("card_refunded_amount", "cost", "credit", "credit_applied", "flat_ship_price", "gift_card_discount",
     "gross_shipping", "price", "prorated_charge", "refund_applied", "refunded_amount", "shipping", "sub_total", "tax",
     "total", "total_app_fees", "total_label_cost", "total_pending_fees", "total_price", "total_revenue",
     "total_shipping", "total_tax", "transaction_fee")
)  # fmt: skip
EMAILS = frozenset(("email", "gift_recipient_email"))
ADDRESSES = frozenset(("city", "street", "to", "unit", "zip_code"))

# Invisible characters of a pasted text: zero-width and soft characters anywhere, wide blanks only at the ends.
INVISIBLE_CHARACTERS = ("\u200b", "\ufeff", "\u200e", "\u00ad", "\u2060")
BLANKS = ("\u00a0", "\u2009", "\t")

DATE_FORMS: dict[str, Callable[[str], Any]] = {
    "iso": lambda text: text,
    "epoch_ms": lambda text: dates.seconds(text) * 1000,  # as a receiver of 2016 found them
    "epoch_s": dates.seconds,
    "fraction": lambda text: text.replace("Z", ".000Z"),
    "blank": lambda text: text.replace("T", " "),
}
MONEY: dict[str, Callable[[int], Any]] = {
    "minor": lambda amount: amount,
    "decimal": lambda amount: amount / 100,
    "text": str,
    "decimal_text": lambda amount: f"{amount / 100:.2f}",
}
BOOLEANS: dict[str, Callable[[bool], Any]] = {
    "json": lambda value: value,
    "text": lambda value: str(value).lower(),
    "title_text": str,  # an official script writes them so
}


@dataclass(frozen=True)
class ValueFormats:
    """The formats of the values of a body."""

    dates: str
    money: str
    booleans: str
    sources: str
    invisible: bool


def apply_formats(body: Row, forms: ValueFormats) -> Row:
    """The body with its values in these forms. What is usual already is not walked through."""
    changes = {
        format_dates: (forms.dates, "iso"),
        format_amounts: (forms.money, "minor"),
        format_booleans: (forms.booleans, "json"),
        format_sources: (forms.sources, "number"),
    }
    for change, (form, usual) in changes.items():
        body = body if form == usual else change(form)(body)
    return dict(add_invisible_characters(body)) if forms.invisible else body


def format_dates(form: str) -> Callable[[Any], Any]:
    """Dates, which are ISO-8601 texts with a Z, in another form."""
    return build_walker(
        lambda name, value: DATE_FORMS[form](value) if name in DATES and isinstance(value, str) else value
    )


def format_amounts(form: str) -> Callable[[Any], Any]:
    """Amounts, which are whole numbers of the smallest unit, in another form."""
    return build_walker(lambda name, value: MONEY[form](value) if name in AMOUNTS and is_amount(value) else value)


def format_booleans(form: str) -> Callable[[Any], Any]:
    return build_walker(lambda _, value: BOOLEANS[form](value) if isinstance(value, bool) else value)


def format_sources(_form: str) -> Callable[[Any], Any]:
    """`source`, which is a number, as text."""
    return build_walker(lambda name, value: str(value) if name == "source" and is_amount(value) else value)


def add_invisible_characters(body: Any) -> Any:
    """E-mail and postal addresses with an invisible character; the same text always gets the same character."""
    return build_walker(insert_invisible)(body)


def insert_invisible(name: str, value: Any) -> Any:
    if name not in EMAILS | ADDRESSES or not isinstance(value, str) or not value:
        return value
    luck = zlib.crc32(value.encode())
    ends = INVISIBLE_CHARACTERS + BLANKS
    end, unseen = ends[luck % len(ends)], INVISIBLE_CHARACTERS[luck // 8 % len(INVISIBLE_CHARACTERS)]
    middle = len(value) // 2
    return (f"{value}{end}", f"{end}{value}", f"{value[:middle]}{unseen}{value[middle:]}")[luck // 64 % 3]


def is_amount(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def build_walker(change: Callable[[str, Any], Any]) -> Callable[[Any], Any]:
    """A function that changes every value of a body, however deep, by its name."""

    def walk(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: walk(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item, name) for item in value]
        return change(name, value)

    return walk
