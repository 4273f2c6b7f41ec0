"""Keeps the hooks of one store in order: lists them, writes what is wrong, and fixes our own, one request at a time.

A pass ends when the store's request budget is used up, and says when to come back. The next pass goes on from the
findings in the ledger, so that a small budget or a killed worker costs only time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from pipeline.context import Context
from pipeline.core.errors import BadCredentials, CratewireError, NotFound, RateLimited, RequestRefused, ServerFault
from pipeline.cratejoy.client import CratejoyClient
from pipeline.hook_registration.store_hooks import OpenAPI, audit_hooks, open_store_hooks, open_urgent_client
from pipeline.infra import redis_keys
from pipeline.infra.redis_lease import Lease
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.hook_findings import FindingRow, list_findings, mark_fixed, record_fix_failure, replace_findings
from pipeline.ledger.reconciliations import request_pass
from pipeline.ledger.store_apis import record_audit, record_key_check

SECOND_US = 1_000_000
AUDIT_INTERVAL_US = 200 * SECOND_US  # so that the mail about a deleted hook leaves within five minutes
RETRY_AFTER_REFUSAL_US = 600 * SECOND_US
RETRY_AFTER_FAILURE_US = 300 * SECOND_US
MAX_FINDINGS_AGE_US = 600 * SECOND_US  # older findings are not fixed: the hooks are listed again first
SILENT_KINDS = (
    "missing",
    "disabled",
)  # such an event sends nothing: what was missed is looked up
MAX_PASS_US = 40 * SECOND_US
LEASE_MS = 30_000


@dataclass(frozen=True, slots=True)
class SyncResult:
    """How far a pass came. `wait`: in how many seconds to go on, and `reason`: what it waits for."""

    done: bool
    wait: float = 0.0
    reason: str = ""


def sync_hooks(
    context: Context, store_id: int, *, audit_only: bool = False, open_api: OpenAPI = open_urgent_client
) -> SyncResult:
    """Do one pass over a store's hooks. `audit_only`: list the hooks and write the findings, but fix nothing, and leave
    the time of the next pass as it is.

    Raises what the store's API does, after writing the error and the time of the next try; Misconfigured if the store
    is gone or we have no keys for it.
    """
    lease = Lease(context.redis, redis_keys.registration_lease(store_id), context.make_nonce(), LEASE_MS)
    with lease.hold() as is_held:
        if not is_held:
            return SyncResult(done=False, wait=1.0, reason="another process is syncing this store's hooks")
        sync_pass = _SyncPass(context, store_id, open_api)
        return sync_pass.audit_only() if audit_only else sync_pass.run()


class _SyncPass:
    """One pass over one store."""

    def __init__(self, context: Context, store_id: int, open_api: OpenAPI) -> None:
        self._context = context
        self._store_hooks = open_store_hooks(context, store_id, open_api=open_api)
        self._store_id = store_id
        self._audit_requested_at = self._store_hooks.api_row.audit_at  # changes if another audit is requested meanwhile
        self._until = context.now() + MAX_PASS_US

    def audit_only(self) -> SyncResult:
        try:
            self._audit()
        except RateLimited as wait:
            return SyncResult(done=False, wait=wait.seconds, reason=wait.why)
        return SyncResult(done=True)

    def run(self) -> SyncResult:
        try:
            result = self._apply_remedies(self._load_pending() or self._audit())
        except RateLimited as wait:
            self._schedule_next(round(wait.seconds * SECOND_US))
            return SyncResult(done=False, wait=wait.seconds, reason=wait.why)
        except CratewireError as error:
            self._record_failure(error)
            raise
        self._schedule_next(AUDIT_INTERVAL_US if result.done else 0, are_keys_accepted=True)
        return result

    def _load_pending(self) -> list[FindingRow]:
        """The findings of the last pass that it did not come to."""
        if (self._store_hooks.api_row.audited_at or 0) < self._context.now() - MAX_FINDINGS_AGE_US:
            return []
        return self._load_fixable()

    def _audit(self) -> list[FindingRow]:
        findings = audit_hooks(self._context, self._store_hooks).findings
        with writing(self._context.engine) as conn:
            replace_findings(conn, self._store_id, map(asdict, findings), self._context.now(), self._audit_requested_at)
        return self._load_fixable()

    def _load_fixable(self) -> list[FindingRow]:
        with reading(self._context.engine) as conn:
            return [finding for finding in list_findings(conn, self._store_id) if finding.is_fixable]

    def _apply_remedies(self, findings: Sequence[FindingRow]) -> SyncResult:
        for finding in findings:
            if self._context.now() >= self._until:
                return SyncResult(done=False)
            self._apply_one(finding)
        return SyncResult(done=True)

    def _apply_one(self, finding: FindingRow) -> None:
        """Fix one finding. If the store refuses the request, the others go on."""
        try:
            hook_id = _apply_remedy(self._store_hooks.api, finding, self._store_hooks.urls_by_event)
        except RequestRefused as error:
            with writing(self._context.engine) as conn:
                record_fix_failure(conn, finding.id, str(error))
            return
        with writing(self._context.engine) as conn:
            mark_fixed(conn, finding.id, self._context.now(), hook_id)
            if finding.kind in SILENT_KINDS:
                request_pass(conn, self._store_id, self._context.now())

    def _schedule_next(self, delay_us: int, *, are_keys_accepted: bool = False) -> None:
        now = self._context.now()
        with writing(self._context.engine) as conn:
            record_audit(conn, self._store_id, self._audit_requested_at, now + delay_us)
            if are_keys_accepted:
                record_key_check(conn, self._store_id, None, now)

    def _record_failure(self, error: CratewireError) -> None:
        """Write the error. Refused keys are tried again every ten minutes, in case it was Cratejoy's mistake."""
        now, retry_after = self._context.now(), error.retry_after if isinstance(error, ServerFault) else None
        is_refused = isinstance(error, BadCredentials)
        delay_us = max(RETRY_AFTER_FAILURE_US, round((retry_after or 0) * SECOND_US))
        delay_us = RETRY_AFTER_REFUSAL_US if is_refused else delay_us
        with writing(self._context.engine) as conn:
            record_audit(conn, self._store_id, self._audit_requested_at, now + delay_us, str(error))
            if is_refused:
                record_key_check(conn, self._store_id, str(error), now)


def _apply_remedy(api: CratejoyClient, finding: FindingRow, urls: Mapping[str, str]) -> int | None:
    """Create, change or delete a hook with one request. Return its id. Raises what the store's API does."""
    if finding.remedy == "create":
        return api.create("hooks", _build_body(finding, urls)).get("id")
    if finding.hook_id is None:
        return None
    if finding.remedy == "update":
        # A new hook is enabled by default; a hook that is changed is enabled only if the request says so.
        api.update("hooks", finding.hook_id, {**_build_body(finding, urls), "enabled": True})
    else:
        _delete_hook(api, finding.hook_id)
    return finding.hook_id


def _delete_hook(api: CratejoyClient, hook_id: int) -> None:
    try:
        api.delete("hooks", hook_id)
    except NotFound:
        return  # deleted already, perhaps by a request of ours whose response was lost


def _build_body(finding: FindingRow, urls: Mapping[str, str]) -> dict[str, object]:
    event = finding.event or ""
    return {"name": f"Cratewire {event}", "event": event, "target": urls[event], "request_type": "POST"}
