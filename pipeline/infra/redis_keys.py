"""Every key we keep in Redis, so that no two parts choose the same name."""

INBOX = "cratewire:inbox"  # the stream of hooks the ledger does not hold yet
INBOX_GROUP = "chain"  # its consumer group, and the name of the consumer in it whose hooks are read first
INBOX_LEASE = "cratewire:lease:inbox"  # who reads the inbox now
INBOX_TOKEN = "cratewire:token:inbox"  # noqa: S105 a key's name; the last fencing token given with that lease
INBOX_TAKEOVER = "cratewire:missed:inbox"  # set for a while when a lost link's turn was taken over
WAKEUP = "cratewire:kick"  # set while a Celery message that wakes the chain is under way
POISON_TRIES = "cratewire:tries"  # content -> how often its reader did not come back
CURRENT_BATCH = (
    "cratewire:tried"  # what is read now: whose turn it is, of which contents, and whether a link is at work
)
ISOLATED_STORES = "cratewire:costly"  # stores whose hooks have lately used up their share of a batch
LAST_SERVED = "cratewire:served"  # whose hooks were read last: all stores', or those of one that is read by itself
HELD_MESSAGES = "cratewire:parked"  # messages of tasks that this version does not know
MONITORING_LEASE = "cratewire:lease:silence"  # who looks whether hooks are missing now
FAST_LANES = "cratewire:trusted"  # lanes whose last send was quick
METRICS = "cratewire:metrics"  # series -> its total over all processes, ever
CONSECUTIVE_FAILURES = "cratewire:failing"  # how many hooks in a row an error of ours has kept from going on
CHAIN_STOPPED = "cratewire:chain:stopped"  # why the chain stands, if it does
FAILURE_LIMIT_OVERRIDE = "cratewire:chain:let_die"  # set while hooks may die of errors of ours without limit
DOCTOR = "cratewire:doctor"  # written to see whether Redis can be written
LEDGER_TROUBLE = "cratewire:trouble:ledger"  # what tasks say of the database while they fail of it
REJECTED_HOOKS = "cratewire:turned_away"  # hooks with a right token that were not taken, by store and status
OOM_KILLS = "cratewire:killed"  # "<host> killed" and "<host> at": processes the kernel killed for memory lately
CLOCK_MARKS = "cratewire:clocks"  # the latest moment that Redis's clock, and each host's, has shown
HEARTBEAT_STARTED = "cratewire:pulse"  # when a web process began to send heartbeats; gone soon after


def lane_lease(connection_id: int, lane: int) -> str:
    """Who delivers this lane now."""
    return f"cratewire:lease:lane:{connection_id}:{lane}"


def credential_retry(connection_id: int) -> str:
    """When the saved keys of this connection, which its platform refuses, were last tried again, in µs."""
    return f"cratewire:retried:{connection_id}"


def queue_activity(queue: str) -> str:
    """Set for a while when a task has begun whose message came from this queue of Celery's."""
    return f"cratewire:taken:{queue}"


def slow_lane_slot(number: int) -> str:
    """Who is at a lane that may hang, in one of the places there are for such."""
    return f"cratewire:lease:untrusted:{number}"


def budget(platform: str, account: str) -> str:
    """The rate budget all of our processes share for one account at one platform."""
    return f"cratewire:budget:{platform}:{account}"


def reconciliation_lease(store_id: int) -> str:
    """Who compares this store's API with the ledger now."""
    return f"cratewire:lease:reconciliation:{store_id}"


def backfill_lease(backfill_id: int) -> str:
    """Who reads this backfill's next page now."""
    return f"cratewire:lease:backfill:{backfill_id}"


def registration_lease(store_id: int) -> str:
    """Who tends this store's hooks at Cratejoy now."""
    return f"cratewire:lease:registration:{store_id}"
