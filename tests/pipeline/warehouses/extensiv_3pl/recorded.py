"""Recorded answers of 3PL Warehouse Manager."""

from __future__ import annotations

from typing import Any

from pipeline.infra.http.client import HTTPResponse
from pipeline.warehouses.extensiv_3pl import WarehouseManager
from tests.pipeline.warehouses.kit import RecordedHTTP, answer, make_tools

CONFIG = {
    "client_id": "client",
    "client_secret": "secret",
    "customer_id": "7",
    "facility": "1",
    "user_login": "svc-bridge",
}
GRANT = answer({"access_token": "opaque", "token_type": "Bearer", "expires_in": 3600})
ORDERS = "http://api.3plCentral.com/rels/orders/order"
ITEMS = "http://api.3plCentral.com/rels/orders/item"
PACKAGES = "http://api.3plCentral.com/rels/orders/package"


def manager(*answers: HTTPResponse, **config: str) -> tuple[WarehouseManager, RecordedHTTP]:
    """With a token already granted."""
    http = RecordedHTTP(GRANT, *answers)
    return WarehouseManager(CONFIG | config, make_tools(http)), http


def problem(status: int, kind: str, code: str, *properties: tuple[str, str]) -> HTTPResponse:
    return answer(
        {
            "$type": f"WMS.V2.Generic.Models.Exceptions.{kind}, WMS.V2.Generic.Models",
            "Properties": [{"Name": name, "Value": value} for name, value in properties],
            "ErrorCode": code,
            "Hint": "",
        },
        status,
    )


def row(number: str = "SUB-90000001", order_id: int = 4_100_001, **shown: Any) -> dict[str, Any]:
    return {
        "readOnly": {"orderId": order_id, "status": 0, "isClosed": False, "packages": []} | shown,
        "referenceNum": number,
        "routingInfo": {"carrier": "USPS", "mode": "Priority", "trackingNumber": None},
        "shipTo": {"name": "Example Recipient", "zip": "00000"},
        "_embedded": {
            ITEMS: [{"readOnly": {"orderItemId": 9_100_001}, "itemIdentifier": {"sku": "BOX-2602"}, "qty": 1.0}]
        },
    }


def listing(*rows: dict[str, Any], relation: str = ORDERS) -> HTTPResponse:
    return answer({"totalResults": len(rows), **({"_embedded": {relation: list(rows)}} if rows else {})})
