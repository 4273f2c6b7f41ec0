"""Log-ins: one row each, so that a log-in can be ended on the server, and failed attempts with their locks."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, insert, select, update

from pipeline.ledger.schema.accounts import FailedLogIn, LogIn, User
from pipeline.ledger.sql.tables import insert_into

LOG_IN_TTL_US = 30 * 86_400 * 1_000_000
_FAILURE_RETENTION_US = 86_400 * 1_000_000  # of a network's failures


@dataclass(frozen=True, slots=True)
class NewLogIn:
    """A log-in that begins. `network`: a tag of the visitor's network; "" if it is unknown."""

    token_hash: str = field(repr=False)
    user_id: int
    uniquifier: str = field(repr=False)
    network: str


def begin_log_in(conn: Connection, log_in: NewLogIn, now: int) -> None:
    """Save a log-in, and delete those of the same user that have ended."""
    ended = (LogIn.expires_at <= now) | (LogIn.uniquifier != log_in.uniquifier)
    conn.execute(delete(LogIn).where(LogIn.user_id == log_in.user_id, ended))
    conn.execute(
        insert(LogIn).values(
            token_hash=log_in.token_hash,
            user_id=log_in.user_id,
            uniquifier=log_in.uniquifier,
            network=log_in.network,
            begun_at=now,
            expires_at=now + LOG_IN_TTL_US,
        )
    )


def end_log_in(conn: Connection, token_hash: str) -> None:
    """End a log-in: cookies with its token are no longer valid."""
    conn.execute(delete(LogIn).where(LogIn.token_hash == token_hash))


@dataclass(frozen=True, slots=True)
class LockoutLimits:
    """How many failures in a row lock an address, for each network and for all together, and for how long."""

    per_network: int
    from_all_networks: int
    lock_us: int


def record_failed_log_in(conn: Connection, user_id: int, network: str, limits: LockoutLimits, now: int) -> bool:
    """Count a wrong password or code; True if it locks the address, for this network or for nearly all."""
    conn.execute(
        delete(FailedLogIn).where(FailedLogIn.user_id == user_id, FailedLogIn.noted_at <= now - _FAILURE_RETENTION_US)
    )
    first = insert_into(conn, FailedLogIn).values(
        user_id=user_id, network=network, failures=1, noted_at=now, locked_until=0
    )
    counted = first.on_conflict_do_update(
        index_elements=["user_id", "network"], set_={"failures": FailedLogIn.failures + 1, "noted_at": now}
    )
    from_network = conn.execute(counted.returning(FailedLogIn.failures)).scalar_one()
    counted_all = update(User).where(User.id == user_id).values(failures=User.failures + 1).returning(User.failures)
    from_all = conn.execute(counted_all).scalar_one()
    locked = {"failures": 0, "locked_until": now + limits.lock_us}
    if from_network >= limits.per_network:
        same_network = FailedLogIn.user_id == user_id, FailedLogIn.network == network
        conn.execute(update(FailedLogIn).where(*same_network).values(locked))
    if from_all >= limits.from_all_networks:
        conn.execute(update(User).where(User.id == user_id).values(locked))
    return from_network >= limits.per_network or from_all >= limits.from_all_networks


def is_locked(conn: Connection, user_id: int, network: str, now: int) -> bool:
    """Whether log-ins from this network are locked for now.

    Failures from other networks never lock a network from which the user is logged in.
    """
    from_network = FailedLogIn.user_id == user_id, FailedLogIn.network == network, FailedLogIn.locked_until > now
    if conn.execute(select(FailedLogIn.user_id).where(*from_network)).scalar() is not None:
        return True
    from_all = User.id == user_id, User.locked_until > now
    if conn.execute(select(User.id).where(*from_all)).scalar() is None:
        return False
    active = LogIn.user_id == user_id, LogIn.network == network, LogIn.expires_at > now
    log_in = select(LogIn.user_id).join(User, User.fs_uniquifier == LogIn.uniquifier).where(*active)
    return network == "" or conn.execute(log_in.limit(1)).scalar() is None


def clear_failed_log_ins(conn: Connection, user_id: int, network: str | None = None) -> None:
    """Reset a user's failures: the common count, and those from one network or from all (None)."""
    statement = delete(FailedLogIn).where(FailedLogIn.user_id == user_id)
    conn.execute(statement if network is None else statement.where(FailedLogIn.network == network))
    conn.execute(update(User).where(User.id == user_id).values(failures=0, locked_until=0))
