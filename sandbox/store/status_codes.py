"""Status columns: text in responses, numbers as filter values and, as seen in a receiver, in hook bodies."""

from typing import Any

# Product types are missing because they are numbers already.
NUMBERS: dict[tuple[str, str], dict[str, int]] = {
    ("order", "status"): {"open": 1, "closed": 2},
    ("order", "fulfillment_status"): {"unfulfilled": 1, "partial": 2, "fulfilled": 3},
    ("shipment", "status"): {"unshipped": 1, "shipped": 2, "cancelled": 3},
    ("transaction", "result"): {"authorized": 1, "captured": 2, "failed": 3, "refunded": 4, "failed refund": 5},
    ("subscription", "status"): {
        "unpaid": 1, "active": 2, "cancelled": 3, "suspended": 4, "expired": 5, "past_due": 6, "pending_renewal": 7,
        "renewing": 8, "unpaid_order_failed": 9,  # the documents print a second 8 for the last status
    },
}  # fmt: skip


def as_text(object_type: str, field: str, value: str) -> str:
    """A filter value as the column's text: `status=2` and `status=active` mean the same."""
    for text, number in NUMBERS.get((object_type, field), {}).items():
        if value == str(number):
            return text
    return value


def as_number(object_type: str, field: str, value: Any) -> Any:
    numbers = NUMBERS.get((object_type, field), {})
    return numbers.get(value, value) if isinstance(value, str) else value
