"""Tends the hooks of one store: lists them, writes down what is wrong, and mends what is ours, a request at a time.

A pass ends where the store's budget of requests does, and says when to come back. The next goes on from the findings
in the ledger, so that a small budget or a killed worker costs time and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from pipeline import keys
from pipeline.errors import BadCredentials, CratewireError, RequestRefused, ServerFault, Wait
from pipeline.lanes.lease import Lease
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.hook_findings import FindingRow, findings_of, note_failure, note_mended, replace_findings
from pipeline.ledger.reconciliations import ask_for_pass
from pipeline.ledger.store_apis import note_api, note_audit
from pipeline.registration.care import Care, open_ward
from pipeline.registration.looking import look
from pipeline.registration.mending import mend

SECOND = 1_000_000
LOOK_EVERY = 200 * SECOND  # a mail about a deleted hook has left before the fifth minute
AFTER_REFUSAL = 600 * SECOND
AFTER_FAILURE = 300 * SECOND
STALE = 600 * SECOND  # findings older than this are looked at anew before anything is done about them
SILENT = ("missing", "disabled")  # findings of which nothing arrived: the store's API is searched for it
PASS = 40 * SECOND  # how long one pass goes on
LEASE_MS = 30_000


@dataclass(frozen=True, slots=True)
class Tended:
    """How far a pass came: to its end, or it goes on in so many seconds. `why`: what it waits for."""

    done: bool
    wait: float = 0.0
    why: str = ""


def tend(care: Care, store_id: int, *, only_look: bool = False) -> Tended:
    """One pass over a store's hooks. `only_look`: list them anew, write findings down, mend nothing, and leave it at
    that: the audit that mends comes when it would have come.

    Raises what the store's API does, after writing down why and when it is tried again; Misconfigured if the store
    is gone or we have no keys for it.
    """
    lease = Lease(care.redis, keys.registration_lease(store_id), os.urandom(16).hex(), LEASE_MS)
    if not lease.acquire():
        return Tended(done=False, wait=1.0, why="somebody else is at this store's hooks")
    try:
        with lease.kept():
            one = _Pass(care, store_id)
            return one.only_look() if only_look else one.run()
    finally:
        lease.release()


class _Pass:
    """One pass over one store."""

    def __init__(self, care: Care, store_id: int) -> None:
        self._care = care
        self._ward = open_ward(care, store_id)
        self._store_id = store_id
        self._asked_at = self._ward.row.audit_at  # changes when somebody asks for another audit meanwhile
        self._until = care.now() + PASS

    def only_look(self) -> Tended:
        try:
            self._look()
        except Wait as wait:
            return Tended(done=False, wait=wait.seconds, why=wait.why)
        return Tended(done=True)

    def run(self) -> Tended:
        try:
            tended = self._mend(self._still_open() or self._look())
        except Wait as wait:
            self._come_back(round(wait.seconds * SECOND))
            return Tended(done=False, wait=wait.seconds, why=wait.why)
        except CratewireError as error:
            self._give_up(error)
            raise
        self._come_back(LOOK_EVERY if tended.done else 0, works=True)
        return tended

    def _still_open(self) -> list[FindingRow]:
        """What the last pass found and did not come to."""
        if (self._ward.row.audited_at or 0) < self._care.now() - STALE:
            return []
        return self._to_mend()

    def _look(self) -> list[FindingRow]:
        found = look(self._care, self._ward).findings
        with writing(self._care.engine) as db:
            replace_findings(db, self._store_id, map(asdict, found), self._care.now(), self._asked_at)
        return self._to_mend()

    def _to_mend(self) -> list[FindingRow]:
        with reading(self._care.engine) as db:
            return [one for one in findings_of(db, self._store_id) if one.can_be_mended]

    def _mend(self, findings: Sequence[FindingRow]) -> Tended:
        for finding in findings:
            if self._care.now() >= self._until:
                return Tended(done=False)
            self._mend_one(finding)
        return Tended(done=True)

    def _mend_one(self, finding: FindingRow) -> None:
        """A request that is refused as such stops no other."""
        try:
            hook_id = mend(self._ward.api, finding, self._ward.urls)
        except RequestRefused as error:
            with writing(self._care.engine) as db:
                note_failure(db, finding.id, str(error))
            return
        with writing(self._care.engine) as db:
            note_mended(db, finding.id, self._care.now(), hook_id)
            if finding.kind in SILENT:
                ask_for_pass(db, self._store_id, self._care.now())

    def _come_back(self, after: int, *, works: bool = False) -> None:
        now = self._care.now()
        with writing(self._care.engine) as db:
            note_audit(db, self._store_id, self._asked_at, now + after)
            if works:
                note_api(db, self._store_id, None, now)

    def _give_up(self, error: CratewireError) -> None:
        """For now. Refused keys are tried again every ten minutes, in case it was Cratejoy's mistake."""
        now, told = self._care.now(), error.retry_after if isinstance(error, ServerFault) else None
        refused = isinstance(error, BadCredentials)
        after = AFTER_REFUSAL if refused else max(AFTER_FAILURE, round((told or 0) * SECOND))
        with writing(self._care.engine) as db:
            note_audit(db, self._store_id, self._asked_at, now + after, str(error))
            if refused:
                note_api(db, self._store_id, str(error), now)
