"""Accounts, who may log in, and what they may see. An account's stores are its members' alone."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Literal, cast

from sqlalchemy import Connection, delete, null, select, update

from pipeline.core.errors import Misconfigured
from pipeline.ledger.schema.accounts import Membership, User
from pipeline.ledger.schema.core import Account, Store
from pipeline.ledger.sql.tables import insert_into
from pipeline.ledger.stores import ensure_account

Role = Literal["owner", "reader"]
OWNER: Role = "owner"
READER: Role = "reader"
ROLES: tuple[Role, ...] = (OWNER, READER)


@dataclass(frozen=True, slots=True)
class NewUser:
    """Somebody who wants to log in. `uniquifier` goes into their sessions and links."""

    email: str
    password_hash: str = field(repr=False)
    uniquifier: str = field(repr=False)
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """One line of an account's list of members."""

    user_id: int
    email: str
    role: Role
    since: int


@dataclass(frozen=True, slots=True)
class VisibleStore:
    """A store somebody may look at, and in which role."""

    store_id: int
    name: str
    account_id: int
    role: Role


def create_account(conn: Connection, now: int) -> int:
    """An account of somebody who came by the web. Its name says nothing about them."""
    return ensure_account(conn, f"web-{secrets.token_hex(8)}", now)


def find_account(conn: Connection, name: str) -> int | None:
    """The account of this name; those that came by the command line are called `default`."""
    return conn.execute(select(Account.id).where(Account.name == name)).scalar()


def get_account_name(conn: Connection, account_id: int) -> str:
    """What stores are saved under."""
    return conn.execute(select(Account.name).where(Account.id == account_id)).scalar_one()


def add_user(conn: Connection, wanted: NewUser, now: int) -> int | None:
    """The new user's id; None if somebody has this address already."""
    made = insert_into(conn, User).values(
        email=wanted.email.lower(),
        password=wanted.password_hash,
        active=True,
        fs_uniquifier=wanted.uniquifier,
        confirmed_at=now if wanted.confirmed else None,
        failures=0,
        locked_until=0,
        created_at=now,
    )
    return conn.execute(made.on_conflict_do_nothing(index_elements=[User.email]).returning(User.id)).scalar()


def claim_unconfirmed_user(conn: Connection, wanted: NewUser, now: int) -> int | None:
    """Give an address that nobody has confirmed yet to whoever reads its mail; None if it is confirmed, or new.

    Somebody else may have registered it, and knows the password it has had until now.
    """
    mine = update(User).where(User.email == wanted.email.lower(), User.confirmed_at.is_(None))
    fresh = {"password": wanted.password_hash, "fs_uniquifier": wanted.uniquifier, "confirmed_at": now}
    fresh |= {"failures": 0, "locked_until": 0}
    return conn.execute(mine.values(fresh).returning(User.id)).scalar()


def is_confirmed(conn: Connection, email: str) -> bool:
    """Whether somebody has this address and has proved it."""
    return (
        conn.execute(select(User.id).where(User.email == email.lower(), User.confirmed_at.is_not(None))).scalar()
        is not None
    )


def find_user(conn: Connection, email: str) -> int | None:
    """Who has this address."""
    return conn.execute(select(User.id).where(User.email == email.lower())).scalar()


def is_current_uniquifier(conn: Connection, uniquifier: str) -> bool:
    """Whether a user has this, and has not ended their sessions since."""
    return conn.execute(select(User.id).where(User.fs_uniquifier == uniquifier)).scalar() is not None


def add_member(conn: Connection, account_id: int, user_id: int, role: Role, now: int) -> None:
    """Let a user into an account, or change their role there."""
    made = insert_into(conn, Membership).values(account_id=account_id, user_id=user_id, role=role, since=now)
    conn.execute(made.on_conflict_do_update(index_elements=["account_id", "user_id"], set_={"role": role}))


def remove_member(conn: Connection, account_id: int, user_id: int) -> None:
    """Raise Misconfigured if it is the last owner: nobody could let anybody in again."""
    conn.execute(update(Account).where(Account.id == account_id).values(name=Account.name))  # one removal at a time
    owners = {member.user_id for member in list_members(conn, account_id) if member.role == OWNER}
    if owners == {user_id}:
        raise Misconfigured("an account keeps at least one owner")
    conn.execute(delete(Membership).where(Membership.account_id == account_id, Membership.user_id == user_id))


def list_accounts(conn: Connection) -> list[tuple[int, str]]:
    """The id and name of every account, the oldest first."""
    return [(row.id, row.name) for row in conn.execute(select(Account.id, Account.name).order_by(Account.id))]


def reset_second_factor(conn: Connection, email: str) -> bool:
    """Let somebody who has lost it log in with their password alone; False if nobody has this address."""
    off = {"tf_primary_method": None, "tf_totp_secret": None, "tf_counter": None, "mf_recovery_codes": null()}
    changed = update(User).where(User.email == email.lower()).values(off).returning(User.id)
    return conn.execute(changed).scalar() is not None


def list_members(conn: Connection, account_id: int) -> list[Member]:
    """Everybody in an account, by address."""
    query = (
        select(User.id.label("user_id"), User.email, Membership.role, Membership.since)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.account_id == account_id)
        .order_by(User.email)
    )
    return [Member(**row._asdict()) for row in conn.execute(query)]


def get_roles(conn: Connection, user_id: int) -> dict[int, Role]:
    """Account id -> the user's role there; the oldest account first."""
    mine = Membership.user_id == user_id
    rows = conn.execute(select(Membership.account_id, Membership.role).where(mine).order_by(Membership.account_id))
    return {row.account_id: cast("Role", row.role) for row in rows}


def list_visible_stores(conn: Connection, user_id: int) -> list[VisibleStore]:
    """The stores of all accounts a user is in, by name. Every page starts here: what is not in it does not exist."""
    query = (
        select(Store.id.label("store_id"), Store.name, Store.account_id, Membership.role)
        .join(Membership, Membership.account_id == Store.account_id)
        .where(Membership.user_id == user_id)
        .order_by(Store.name)
    )
    return [VisibleStore(**row._asdict()) for row in conn.execute(query)]
