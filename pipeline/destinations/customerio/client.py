"""The calls of the Track API we make, with their credentials; knows paths, not meanings."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from pipeline.core.messages import CallRecord
from pipeline.destinations.customerio.batches import batch_body
from pipeline.destinations.customerio.items import Endpoint, Item
from pipeline.destinations.customerio.limits import MAX_RESPONSE_BYTES
from pipeline.destinations.error_text import error_text
from pipeline.infra.http.client import HTTPClient, HTTPResponse

_BATCH = Endpoint("POST", "/api/v2/batch", "/api/v2/batch")
_REGION = Endpoint("GET", "/api/v1/accounts/region", "/api/v1/accounts/region")
_FIRST_ERROR_STATUS = 300


class TrackClient:
    """One workspace's Track API. Regions share its paths; the credentials are a pair per workspace."""

    def __init__(self, base_url: str, site_id: str, api_key: str, http: HTTPClient) -> None:
        self._base_url = base_url
        pair = base64.b64encode(f"{site_id}:{api_key}".encode()).decode("ascii")
        self._headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/json; charset=utf-8"}
        self._http = http

    def region(self) -> HTTPResponse:
        """Who these credentials belong to. Either region's host answers (Customer.io docs, accounts/region)."""
        return self._call(_REGION)

    def batch(self, items: Sequence[Item]) -> tuple[HTTPResponse, CallRecord]:
        """All items in one call."""
        answer = self._call(_BATCH, batch_body(items))
        return answer, _build_call_record(_BATCH, items, answer)

    def single(self, item: Item, endpoint: Endpoint) -> tuple[HTTPResponse, CallRecord]:
        """One item in a call of its own."""
        answer = self._call(endpoint, item.body)
        return answer, _build_call_record(endpoint, [item], answer)

    def _call(self, endpoint: Endpoint, body: bytes | None = None) -> HTTPResponse:
        url = f"{self._base_url}{endpoint.path}"
        return self._http.call(endpoint.method, url, headers=self._headers, body=body, max_bytes=MAX_RESPONSE_BYTES)


def _build_call_record(endpoint: Endpoint, items: Sequence[Item], answer: HTTPResponse) -> CallRecord:
    failed = answer.status is not None and answer.status >= _FIRST_ERROR_STATUS
    return CallRecord(
        method=endpoint.method,
        endpoint=endpoint.template,
        status=answer.status,
        started_at=answer.started_at,
        duration_us=answer.duration_us,
        items=len(items),
        error=(error_text(answer.body) or None) if failed else answer.error,
        message_positions=tuple(item.position for item in items),
    )
