"""The state of a store: its objects as rows, the simulated time, the e-mails it sent. A lock guards it."""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from sandbox.store.switches import Switches

Row = dict[str, Any]

KINDS = (
    "customers", "addresses", "orders", "subscriptions", "shipments", "fulfillments", "shipment_batches", "products",
    "product_instances", "product_billings", "terms", "transactions", "inventory", "product_survey_results", "hooks",
    "subscription_coupons", "page_redirects", "survey_fields",
)  # fmt: skip

# Ids resemble a single sequence across all types, and exceed 32 bits.
FIRST_ID = 7_093_400_000


class State:
    """Rows by kind and id. A key that begins with an underscore is internal and never shown."""

    def __init__(self, now: int, switches: Switches) -> None:
        self.lock = threading.RLock()
        self.now = now
        self.switches = switches
        self.outbox: list[Row] = []
        self.shipped_puts: Counter[int] = Counter()  # by box: writes over the API that said `shipped`
        self.gone: set[int] = set()  # ids that the API shows no more, because a fault took them away between two pages
        self.storefront_emails: set[str] = set()  # folded addresses that the storefront knows
        self.metadata: dict[tuple[str, int], Row] = {}
        self._rows: dict[str, dict[int, Row]] = {kind: {} for kind in KINDS}
        self._index: dict[tuple[str, str, int], list[int]] = defaultdict(list)
        self._last_id = FIRST_ID

    def new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def tick(self, seconds: int = 1) -> int:
        self.now += seconds
        return self.now

    def insert(self, kind: str, row: Row) -> Row:
        """Give the row an id and a place, and make it findable by every id it mentions."""
        row["id"] = row.get("id") or self.new_id()
        self._rows[kind][row["id"]] = row
        for key, value in row.items():
            if key.endswith("_id") and isinstance(value, int):
                self._index[kind, key.lstrip("_"), value].append(row["id"])
        return row

    def point(self, kind: str, row: Row, field: str, target_id: int) -> None:
        """Let a row mention another id under `field`."""
        name = field.lstrip("_")
        self._index[kind, name, row[field]].remove(row["id"])
        row[field] = target_id
        self._index[kind, name, target_id].append(row["id"])

    def remove(self, kind: str, row_id: int) -> None:
        del self._rows[kind][row_id]

    def find(self, kind: str, row_id: int | None) -> Row | None:
        return self._rows[kind].get(row_id) if row_id is not None else None

    def get(self, kind: str, row_id: int) -> Row:
        return self._rows[kind][row_id]

    def rows(self, kind: str) -> Iterable[Row]:
        return list(self._rows[kind].values())

    def of(self, kind: str, field: str, owner_id: int) -> list[Row]:
        """Rows of `kind` whose `field` (an id, shown or hidden) is `owner_id`, oldest first."""
        rows = self._rows[kind]
        return [rows[i] for i in self._index.get((kind, field, owner_id), ()) if i in rows]
