"""Makes the calls of one audience, and keeps their records for the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.core.messages import CallRecord
from pipeline.destinations.outcomes import build_call_record
from pipeline.infra.http.basic_auth import build_basic_auth
from pipeline.infra.http.client import HTTPClient, HTTPResponse, Method

MAX_ANSWER_BYTES = 4_000_000  # a thousand events of a member
_SKIP = "?skip_merge_validation=true"  # a field that a form requires must not keep a profile out


class MailchimpClient:
    """The calls of one send."""

    def __init__(self, base_url: str, api_key: str, audience: str, http: HTTPClient) -> None:
        self.base_url = base_url
        self.audience = audience
        self._http = http
        self._headers = {"Authorization": build_basic_auth("cratewire", api_key), "Content-Type": "application/json"}
        self.calls: list[CallRecord] = []

    def now_s(self) -> float:
        """The time by the client's clock."""
        return self._http.now() / 1_000_000

    def get(self, path: str) -> HTTPResponse:
        """Ask for something, outside a send."""
        url = f"{self.base_url}/{path}".rstrip("/")
        return self._http.call("GET", url, headers=self._headers, max_bytes=MAX_ANSWER_BYTES)

    def post(self, path: str, body: bytes) -> HTTPResponse:
        """Create something, outside a send."""
        return self._http.call("POST", f"{self.base_url}/{path}", headers=self._headers, body=body)

    def put_member(self, key: str, body: bytes, positions: Sequence[int]) -> HTTPResponse:
        """Create or update a member."""
        return self._record("PUT", f"/members/{key}{_SKIP}", "/members/:hash", body, positions)

    def change_tags(self, key: str, body: bytes, positions: Sequence[int]) -> HTTPResponse:
        """Give a member tags."""
        return self._record("POST", f"/members/{key}/tags", "/members/:hash/tags", body, positions)

    def add_event(self, key: str, body: bytes, positions: Sequence[int]) -> HTTPResponse:
        """Add an event to a member."""
        return self._record("POST", f"/members/{key}/events", "/members/:hash/events", body, positions)

    def list_events(self, key: str, positions: Sequence[int]) -> HTTPResponse:
        """Read the newest events of a member."""
        return self._record("GET", f"/members/{key}/events?count=1000", "/members/:hash/events", None, positions)

    def delete_permanently(self, key: str) -> HTTPResponse:
        """Erase a member, and keep the address out for good."""
        return self._record("POST", f"/members/{key}/actions/delete-permanent", "/members/:hash/actions", b"{}", [0])

    def member_path(self, key: str) -> str:
        """The path of a member within a batch."""
        return f"/lists/{self.audience}/members/{key}{_SKIP}"

    def _record(
        self, method: Method, path: str, template: str, body: bytes | None, positions: Sequence[int]
    ) -> HTTPResponse:
        url = f"{self.base_url}/lists/{self.audience}{path}"
        response = self._http.call(method, url, headers=self._headers, body=body, max_bytes=MAX_ANSWER_BYTES)
        self.calls.append(build_call_record(method, f"/lists/:audience{template}", response, positions))
        return response

    def record(self, method: Method, template: str, response: HTTPResponse, positions: Sequence[int]) -> None:
        """Keep the record of a call that was made by `get` or `post`."""
        self.calls.append(build_call_record(method, template, response, positions))
