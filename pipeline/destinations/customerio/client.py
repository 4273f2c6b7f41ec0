"""The calls to the Track API, with their credentials. It knows paths, not what responses mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.core.messages import CallRecord
from pipeline.destinations.customerio.batches import batch_body
from pipeline.destinations.customerio.items import Endpoint, Item
from pipeline.destinations.customerio.limits import MAX_RESPONSE_BYTES
from pipeline.destinations.outcomes import build_call_record
from pipeline.infra.http.basic_auth import build_basic_auth
from pipeline.infra.http.client import HTTPClient, HTTPResponse

_BATCH = Endpoint("POST", "/api/v2/batch", "/api/v2/batch")
_REGION = Endpoint("GET", "/api/v1/accounts/region", "/api/v1/accounts/region")


class TrackClient:
    """The Track API of one workspace. The paths are the same in both regions; each workspace has its credentials."""

    def __init__(self, base_url: str, site_id: str, api_key: str, http: HTTPClient) -> None:
        self._base_url = base_url
        authorization = build_basic_auth(site_id, api_key)
        self._headers = {"Authorization": authorization, "Content-Type": "application/json; charset=utf-8"}
        self._http = http

    def region(self) -> HTTPResponse:
        """Ask which workspace the credentials belong to. Either host answers (Customer.io docs, accounts/region)."""
        return self._call(_REGION)

    def batch(self, items: Sequence[Item]) -> tuple[HTTPResponse, CallRecord]:
        """Send all items in one call."""
        response = self._call(_BATCH, batch_body([item.body for item in items]))
        return response, build_call_record(_BATCH.method, _BATCH.template, response, [item.position for item in items])

    def operations(self, bodies: Sequence[bytes]) -> tuple[HTTPResponse, CallRecord]:
        """Send these operations, which all belong to the same message, in one call."""
        response = self._call(_BATCH, batch_body(bodies))
        return response, replace(build_call_record(_BATCH.method, _BATCH.template, response, ()), items=len(bodies))

    def single(self, item: Item, endpoint: Endpoint) -> tuple[HTTPResponse, CallRecord]:
        """Send one item in its own call."""
        response = self._call(endpoint, item.body)
        return response, build_call_record(endpoint.method, endpoint.template, response, [item.position])

    def _call(self, endpoint: Endpoint, body: bytes | None = None) -> HTTPResponse:
        url = f"{self._base_url}{endpoint.path}"
        return self._http.call(endpoint.method, url, headers=self._headers, body=body, max_bytes=MAX_RESPONSE_BYTES)
