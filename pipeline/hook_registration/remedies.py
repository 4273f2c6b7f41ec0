"""Mends one finding with one request to Cratejoy."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.core.errors import NotFound
from pipeline.cratejoy.client import CratejoyClient
from pipeline.ledger.hook_findings import FindingRow


def apply_remedy(api: CratejoyClient, finding: FindingRow, urls: Mapping[str, str]) -> int | None:
    """Make, change or remove the hook; the id of the one concerned. Raises what the store's API does."""
    if finding.remedy == "create":
        return api.create("hooks", _build_body(finding, urls)).get("id")
    if finding.hook_id is None:
        return None
    if finding.remedy == "update":
        # A hook made without a word about it is enabled; one that is changed must be told to be.
        api.update("hooks", finding.hook_id, {**_build_body(finding, urls), "enabled": True})
    else:
        _delete_hook(api, finding.hook_id)
    return finding.hook_id


def _delete_hook(api: CratejoyClient, hook_id: int) -> None:
    try:
        api.delete("hooks", hook_id)
    except NotFound:
        return  # gone already, perhaps by a request of ours whose answer was lost


def _build_body(finding: FindingRow, urls: Mapping[str, str]) -> dict[str, object]:
    event = finding.event or ""
    return {"name": f"Cratewire {event}", "event": event, "target": urls[event], "request_type": "POST"}
