"""Stops a mass of boxes that no one expects, such as a second load of all, before the first of them goes out.

A batch counts against the boxes that it had when it was frozen, or else those that were known of it for some time; what
a person has accepted counts as expected.
"""

from __future__ import annotations

from pipeline.fulfilment.rules.volume import BatchVolume, VolumeVerdict, judge_volume
from pipeline.fulfilment.site import Site, log
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.batches import count_frozen
from pipeline.ledger.fulfilment.events import About, EventDraft, add_fulfilment_event
from pipeline.ledger.fulfilment.volume import DAY_US, count_batches, count_sent_by_day, count_waiting
from pipeline.ledger.fulfilment.warehouses import UNUSUAL, pause_warehouse

KNOWN_FOR_US = 3_600_000_000  # then a box of a batch is no surprise any more


def guard_volume(site: Site) -> bool:
    """Whether boxes may go. If not, the warehouse is paused, and a person who resumes it lets them pass."""
    now, row = site.now(), site.row
    if row.volume_passed_at is not None and now - row.volume_passed_at < DAY_US:
        return True
    accepted_at = row.accepted_at or 0
    with reading(site.engine) as conn:
        *history, today = count_sent_by_day(conn, site.store_id, now)
        waiting = count_waiting(conn, site.store_id, now, accepted_at)
        frozen = count_frozen(conn, site.store_id)
        batches = {
            number: BatchVolume(frozen.get(number, found.known), found.sent, found.waiting)
            for number, found in count_batches(conn, site.store_id, accepted_at, now - KNOWN_FOR_US).items()
        }
    is_first_day = now - accepted_at < DAY_US  # the boxes of the accepted report were sent today, too
    verdict = judge_volume(history, 0 if is_first_day else today, waiting, batches)
    if verdict.is_stopped:
        _stop(site, verdict)
    return not verdict.is_stopped


def _stop(site: Site, verdict: VolumeVerdict) -> None:
    what = f"batch {verdict.batch_id}" if verdict.batch_id is not None else "a day"
    reason = f"{UNUSUAL}: {verdict.count} boxes of {what} would go, and at most {verdict.limit} are usual"
    detail = {"count": verdict.count, "limit": verdict.limit, "batch": verdict.batch_id}
    with writing(site.engine) as conn:
        if pause_warehouse(conn, site.store_id, reason, site.now()):
            event = EventDraft("paused", verdict.reason, {key: value for key, value in detail.items() if value})
            add_fulfilment_event(conn, About(site.store_id), event, site.now())
    log.warning("an unusual number of boxes is stopped", store=site.store_id, reason=verdict.reason)
