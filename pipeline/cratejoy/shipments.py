"""Shipments in a store's Merchant API, as the fulfilment reads and writes them. Each method sends one request.

v1.1 lists show a page of 200 quickly, but no payment, and no test mark; v1 shows both, and the present address. Rows
are returned as they were sent: `pipeline.fulfilment` reads them strictly, since a box goes where they say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.core.errors import BrokenPage, RequestRefused
from pipeline.cratejoy.client import CratejoyClient
from pipeline.cratejoy.pagination import RawPage
from pipeline.events.fields import format_time

LIST_LIMIT = 200  # the most that v1.1 takes
MAX_IDS = 50  # of one reading by ids
WITH = "customer,fulfillments,ship_address,batch,subscriptions"


class ShipmentAPI:
    """The shipments of one store."""

    def __init__(self, client: CratejoyClient) -> None:
        self._client = client

    def list_page(
        self,
        statuses: Sequence[str],
        since: int,
        until: int | None,
        billing_type: str | None = None,
        next_: str | None = None,
    ) -> RawPage:
        """A page of v1.1: shipments in these states with `adjusted_ordered_at` in these times (µs, included)."""
        filters = {"adjusted_ordered_at__ge": format_time(since), "limit": str(LIST_LIMIT)}
        if len(statuses) == 1:
            filters["status"] = statuses[0]
        else:
            filters["status__in"] = json.dumps(list(statuses))
        if until is not None:
            filters["adjusted_ordered_at__le"] = format_time(until)
        if billing_type is not None:
            filters["billing_type"] = billing_type
        return self._client.read_raw_page("shipments", filters, next_, version="v1.1")

    def get(self, shipment_id: int) -> Any:
        """One shipment of v1, with what belongs to it. Raises NotFound if it does not exist."""
        return self._client.read_json(f"shipments/{shipment_id}", {"with": WITH})

    def get_many(self, shipment_ids: Sequence[int]) -> dict[int, Any]:
        """Up to 50 shipments of v1 in one request, by id; without those that are not shown.

        That v1 filters shipments by several ids follows from its rules for filters, and no page names it. So what is
        not shown is not known to be gone: it is read by itself.
        """
        wanted = sorted(set(shipment_ids))[:MAX_IDS]
        filters = {"id__in": ",".join(map(str, wanted)), "with": WITH, "limit": str(MAX_IDS)}
        try:
            page = self._client.read_raw_page("shipments", filters)
        except (RequestRefused, BrokenPage):
            return {}
        shown = {row["id"]: row for row in page.results if isinstance(row, dict) and type(row.get("id")) is int}
        return {number: shown[number] for number in wanted if number in shown}

    def write(self, shipment_id: int, changes: Mapping[str, Any]) -> None:
        """Change these properties. `status` "shipped" makes Cratejoy write to the customer."""
        self._client.write_json(f"shipments/{shipment_id}", changes)
