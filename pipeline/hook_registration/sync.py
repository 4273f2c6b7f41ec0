"""Tends the hooks of one store: lists them, writes down what is wrong, and mends what is ours, a request at a time.

A pass ends where the store's budget of requests does, and says when to come back. The next goes on from the findings
in the ledger, so that a small budget or a killed worker costs time and nothing else.
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
AUDIT_INTERVAL_US = 200 * SECOND_US  # a mail about a deleted hook has left before the fifth minute
RETRY_AFTER_REFUSAL_US = 600 * SECOND_US
RETRY_AFTER_FAILURE_US = 300 * SECOND_US
MAX_FINDINGS_AGE_US = 600 * SECOND_US  # findings older than this are looked at anew before anything is done about them
SILENT_KINDS = ("missing", "disabled")  # findings of which nothing arrived: the store's API is searched for it
MAX_PASS_US = 40 * SECOND_US  # how long one pass goes on
LEASE_MS = 30_000


@dataclass(frozen=True, slots=True)
class SyncResult:
    """How far a pass came: to its end, or it goes on in so many seconds. `why`: what it waits for."""

    done: bool
    wait: float = 0.0
    why: str = ""


def sync_hooks(
    context: Context, store_id: int, *, audit_only: bool = False, open_api: OpenAPI = open_urgent_client
) -> SyncResult:
    """One pass over a store's hooks. `audit_only`: list them anew, write findings down, mend nothing, and leave it at
    that: the audit that mends comes when it would have come.

    Raises what the store's API does, after writing down why and when it is tried again; Misconfigured if the store
    is gone or we have no keys for it.
    """
    lease = Lease(context.redis, redis_keys.registration_lease(store_id), context.make_nonce(), LEASE_MS)
    with lease.hold() as is_held:
        if not is_held:
            return SyncResult(done=False, wait=1.0, why="another process is syncing this store's hooks")
        sync_pass = _SyncPass(context, store_id, open_api)
        return sync_pass.audit_only() if audit_only else sync_pass.run()


class _SyncPass:
    """One pass over one store."""

    def __init__(self, context: Context, store_id: int, open_api: OpenAPI) -> None:
        self._context = context
        self._store_hooks = open_store_hooks(context, store_id, open_api=open_api)
        self._store_id = store_id
        self._asked_at = self._store_hooks.row.audit_at  # changes when somebody asks for another audit meanwhile
        self._until = context.now() + MAX_PASS_US

    def audit_only(self) -> SyncResult:
        try:
            self._audit()
        except RateLimited as wait:
            return SyncResult(done=False, wait=wait.seconds, why=wait.why)
        return SyncResult(done=True)

    def run(self) -> SyncResult:
        try:
            tended = self._apply_remedies(self._load_pending() or self._audit())
        except RateLimited as wait:
            self._schedule_next(round(wait.seconds * SECOND_US))
            return SyncResult(done=False, wait=wait.seconds, why=wait.why)
        except CratewireError as error:
            self._record_failure(error)
            raise
        self._schedule_next(AUDIT_INTERVAL_US if tended.done else 0, works=True)
        return tended

    def _load_pending(self) -> list[FindingRow]:
        """What the last pass found and did not come to."""
        if (self._store_hooks.row.audited_at or 0) < self._context.now() - MAX_FINDINGS_AGE_US:
            return []
        return self._load_fixable()

    def _audit(self) -> list[FindingRow]:
        found = audit_hooks(self._context, self._store_hooks).findings
        with writing(self._context.engine) as db:
            replace_findings(db, self._store_id, map(asdict, found), self._context.now(), self._asked_at)
        return self._load_fixable()

    def _load_fixable(self) -> list[FindingRow]:
        with reading(self._context.engine) as db:
            return [one for one in list_findings(db, self._store_id) if one.is_fixable]

    def _apply_remedies(self, findings: Sequence[FindingRow]) -> SyncResult:
        for finding in findings:
            if self._context.now() >= self._until:
                return SyncResult(done=False)
            self._apply_one(finding)
        return SyncResult(done=True)

    def _apply_one(self, finding: FindingRow) -> None:
        """A request that is refused as such stops no other."""
        try:
            hook_id = _apply_remedy(self._store_hooks.api, finding, self._store_hooks.urls)
        except RequestRefused as error:
            with writing(self._context.engine) as db:
                record_fix_failure(db, finding.id, str(error))
            return
        with writing(self._context.engine) as db:
            mark_fixed(db, finding.id, self._context.now(), hook_id)
            if finding.kind in SILENT_KINDS:
                request_pass(db, self._store_id, self._context.now())

    def _schedule_next(self, after: int, *, works: bool = False) -> None:
        now = self._context.now()
        with writing(self._context.engine) as db:
            record_audit(db, self._store_id, self._asked_at, now + after)
            if works:
                record_key_check(db, self._store_id, None, now)

    def _record_failure(self, error: CratewireError) -> None:
        """For now. Refused keys are tried again every ten minutes, in case it was Cratejoy's mistake."""
        now, told = self._context.now(), error.retry_after if isinstance(error, ServerFault) else None
        refused = isinstance(error, BadCredentials)
        after = RETRY_AFTER_REFUSAL_US if refused else max(RETRY_AFTER_FAILURE_US, round((told or 0) * SECOND_US))
        with writing(self._context.engine) as db:
            record_audit(db, self._store_id, self._asked_at, now + after, str(error))
            if refused:
                record_key_check(db, self._store_id, str(error), now)


def _apply_remedy(api: CratejoyClient, finding: FindingRow, urls: Mapping[str, str]) -> int | None:
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
