"""Every key that we use in Redis, so that no two modules choose the same name."""

INBOX = "cratewire:inbox"  # the stream of hooks that the ledger does not hold yet
INBOX_GROUP = "chain"  # its consumer group, and the group's usual consumer
INBOX_LEASE = "cratewire:lease:inbox"  # the token of the chain that reads the inbox now
INBOX_TOKEN = "cratewire:token:inbox"  # noqa: S105 a key's name; the last fencing token of that lease
INBOX_TAKEOVER = "cratewire:missed:inbox"  # set for a while after the lease of a lost link was taken over
WAKEUP = "cratewire:kick"  # set while a Celery message that wakes the chain is queued
PARTITIONS = "cratewire:partitions"  # how many partitions the inbox has, and how many it is given now
PARTITIONS_LEASE = "cratewire:lease:partitions"  # the process that changes their number now
POISON_TRIES = "cratewire:tries"  # content hash -> how many workers were killed while they processed it
CURRENT_BATCH = "cratewire:tried"  # the batch in the chain: its token, its content hashes, and if a link is at work
ISOLATED_STORES = "cratewire:costly"  # stores that have recently used up their share of a batch
LAST_SERVED = "cratewire:served"  # which hooks were read last: those of all stores, or of one isolated store
HELD_MESSAGES = "cratewire:parked"  # messages of tasks that this release does not know
MONITORING_LEASE = "cratewire:lease:silence"  # the process that checks for missing hooks now
RETENTION_LEASE = "cratewire:lease:retention"  # the process that deletes old data now
ASKED_EVENTS = "cratewire:asked"  # events about whose objects readers have asked Cratejoy; a worker takes them
SEARCH_LEASE = "cratewire:lease:search"  # the process that reads older rows for the search now
FAST_LANES = "cratewire:trusted"  # lanes whose last send was fast
METRICS = "cratewire:metrics"  # series -> its total over all processes, since the beginning
CONSECUTIVE_FAILURES = "cratewire:failing"  # how many hooks in a row have failed with an internal error
CHAIN_STOPPED = "cratewire:chain:stopped"  # why the chain is stopped, if it is
FAILURE_LIMIT_OVERRIDE = "cratewire:chain:let_die"  # set while any number of hooks may fail with internal errors
REPLICA_PROBE = "cratewire:replicas"  # written to learn whether replicas confirm writes again
DOCTOR = "cratewire:doctor"  # written to check that Redis can be written
LEDGER_TROUBLE = "cratewire:trouble:ledger"  # the database error that tasks fail with now
REJECTED_HOOKS = "cratewire:turned_away"  # rejected hooks with a valid token, by store and status
OOM_KILLS = "cratewire:killed"  # "<host> killed" and "<host> at": processes that the kernel recently killed for memory
ALL_SWEEPS = "cratewire:sweeps"  # set while the sweeps without anything to do were sent recently all the same
API_LIMITS = "cratewire:api_limits"  # begins the keys of the API's limits: requests of a token within the last minute
CLOCK_MARKS = "cratewire:clocks"  # the latest time of Redis's clock, and of each host's
HEARTBEAT_STARTED = "cratewire:pulse"  # when a web process started to send heartbeats; expires soon after


def in_partition(key: str, partition: int) -> str:
    """The key of one partition of the inbox. Those of partition 0 are from before there were several."""
    return f"{key}:{partition}" if partition else key


def asked_event(event_id: int) -> str:
    """What a reader has asked Cratejoy about this event, and the answer, for ten minutes."""
    return f"cratewire:asked:{event_id}"


def lane_lease(connection_id: int, lane: int) -> str:
    """The token of the process that delivers this lane now."""
    return f"cratewire:lease:lane:{connection_id}:{lane}"


def credential_retry(connection_id: int) -> str:
    """When the stored keys of a connection that its platform refuses were last tried again, in µs."""
    return f"cratewire:retried:{connection_id}"


def queue_activity(queue: str) -> str:
    """Set for a while after a task from this Celery queue has started."""
    return f"cratewire:taken:{queue}"


def user_slot(platform: str, user: str, number: int) -> str:
    """The send that occupies this slot for sends of one user that are in progress. `user`: a hash, not a key."""
    return f"cratewire:lease:user:{platform}:{user}:{number}"


def slow_lane_slot(number: int) -> str:
    """The lane that occupies this slot for slow lanes."""
    return f"cratewire:lease:untrusted:{number}"


def budget(platform: str, account: str) -> str:
    """The rate budget that all of our processes share for one account at one platform."""
    return f"cratewire:budget:{platform}:{account}"


def reconciliation_lease(store_id: int) -> str:
    """The process that compares this store's API with the ledger now."""
    return f"cratewire:lease:reconciliation:{store_id}"


def backfill_lease(backfill_id: int) -> str:
    """The process that reads this backfill's next page now."""
    return f"cratewire:lease:backfill:{backfill_id}"


def lookups_lease(store_id: int) -> str:
    """The process that asks this store's API for what hooks lack now."""
    return f"cratewire:lease:lookups:{store_id}"


def fulfilment_lease(store_id: int, lane: str) -> str:
    """The process that works on this lane of the store's fulfilment now."""
    return f"cratewire:lease:fulfilment:{store_id}:{lane}"


def registration_lease(store_id: int) -> str:
    """The process that synchronises this store's hooks at Cratejoy now."""
    return f"cratewire:lease:registration:{store_id}"


def removal_lease(store_id: int) -> str:
    """The process that removes this store now."""
    return f"cratewire:lease:removal:{store_id}"


def warehouse_value(name: str) -> str:
    """A short-lived secret of a warehouse's account, such as an access token, encrypted."""
    return f"cratewire:warehouse:{name}"


def tracking_cursor(store_id: int) -> str:
    """Where the next poll of this store's warehouse goes on, while the last has not come to the end of its list."""
    return f"cratewire:tracking:{store_id}"


def newest_export(store_id: int) -> str:
    """The last file of boxes that was handed out for this store: a ledger that does not know it is an older copy."""
    return f"cratewire:export:{store_id}"


def taken_push(store_id: int, message_hash: str) -> str:
    """Set once a message of this store's warehouse is taken in, so that its repetition is answered as known."""
    return f"cratewire:pushed:{store_id}:{message_hash}"


def warehouse_value_lease(name: str) -> str:
    """The process that changes this value now."""
    return f"cratewire:lease:warehouse:{name}"


def replay_lease(replay_id: int) -> str:
    """The process that works on this replay now."""
    return f"cratewire:lease:replay:{replay_id}"


def sweep_sent(name: str) -> str:
    """Set for a sweep's interval after the tick has sent it."""
    return f"cratewire:sweep:{name}"
