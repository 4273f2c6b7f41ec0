"""Who is logged in: one row for each log-in, so that it can be ended here whatever cookies still exist."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, insert, select, update

from pipeline.ledger.schema.accounts import FailedLogIn, LogIn, User
from pipeline.ledger.sql.tables import insert_into

LOG_IN_TTL_US = 30 * 86_400 * 1_000_000
_FAILURE_RETENTION_US = 86_400 * 1_000_000  # that a network failed


@dataclass(frozen=True, slots=True)
class NewLogIn:
    """A log-in that begins. `network`: a tag; "" if it is not known from where."""

    token_hash: str = field(repr=False)
    user_id: int
    uniquifier: str = field(repr=False)
    network: str


def begin_log_in(conn: Connection, wanted: NewLogIn, now: int) -> None:
    """Remember it, and forget those of the same user that have ended."""
    ended = (LogIn.expires_at <= now) | (LogIn.uniquifier != wanted.uniquifier)
    conn.execute(delete(LogIn).where(LogIn.user_id == wanted.user_id, ended))
    conn.execute(
        insert(LogIn).values(
            token_hash=wanted.token_hash,
            user_id=wanted.user_id,
            uniquifier=wanted.uniquifier,
            network=wanted.network,
            begun_at=now,
            expires_at=now + LOG_IN_TTL_US,
        )
    )


def end_log_in(conn: Connection, token_hash: str) -> None:
    """What carries its token is worth nothing from now on."""
    conn.execute(delete(LogIn).where(LogIn.token_hash == token_hash))


@dataclass(frozen=True, slots=True)
class LockoutLimits:
    """How many failures in a row lock an address, for how long. `of_all`: from all networks together."""

    per_network: int
    from_all_networks: int
    lock_us: int


def record_failed_log_in(conn: Connection, user_id: int, network: str, limits: LockoutLimits, now: int) -> bool:
    """Count a wrong password or code; True if this one locks the address, for this network or for most."""
    conn.execute(
        delete(FailedLogIn).where(FailedLogIn.user_id == user_id, FailedLogIn.noted_at <= now - _FAILURE_RETENTION_US)
    )
    made = insert_into(conn, FailedLogIn).values(
        user_id=user_id, network=network, failures=1, noted_at=now, locked_until=0
    )
    again = made.on_conflict_do_update(
        index_elements=["user_id", "network"], set_={"failures": FailedLogIn.failures + 1, "noted_at": now}
    )
    here = conn.execute(again.returning(FailedLogIn.failures)).scalar_one()
    counted = update(User).where(User.id == user_id).values(failures=User.failures + 1).returning(User.failures)
    everywhere = conn.execute(counted).scalar_one()
    locked = {"failures": 0, "locked_until": now + limits.lock_us}
    if here >= limits.per_network:
        mine = FailedLogIn.user_id == user_id, FailedLogIn.network == network
        conn.execute(update(FailedLogIn).where(*mine).values(locked))
    if everywhere >= limits.from_all_networks:
        conn.execute(update(User).where(User.id == user_id).values(locked))
    return here >= limits.per_network or everywhere >= limits.from_all_networks


def is_locked(conn: Connection, user_id: int, network: str, now: int) -> bool:
    """Whether a log-in from this network fails for now.

    What others guess from elsewhere never locks a network from which the user is logged in.
    """
    here = FailedLogIn.user_id == user_id, FailedLogIn.network == network, FailedLogIn.locked_until > now
    if conn.execute(select(FailedLogIn.user_id).where(*here)).scalar() is not None:
        return True
    everywhere = User.id == user_id, User.locked_until > now
    if conn.execute(select(User.id).where(*everywhere)).scalar() is None:
        return False
    living = LogIn.user_id == user_id, LogIn.network == network, LogIn.expires_at > now
    same = select(LogIn.user_id).join(User, User.fs_uniquifier == LogIn.uniquifier).where(*living)
    return network == "" or conn.execute(same.limit(1)).scalar() is None


def clear_failed_log_ins(conn: Connection, user_id: int, network: str | None = None) -> None:
    """Forget failures: those from one network and the common count, or all."""
    theirs = delete(FailedLogIn).where(FailedLogIn.user_id == user_id)
    conn.execute(theirs if network is None else theirs.where(FailedLogIn.network == network))
    conn.execute(update(User).where(User.id == user_id).values(failures=0, locked_until=0))
