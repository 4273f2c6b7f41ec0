"""Tokens of the API: made for an account, shown once, with scopes and an end; revoked at once.

A token is `cwt_`, twelve digits that may be shown, and a secret. What it may do is what its scopes and the present role
of its maker both allow: a member who leaves, or becomes a reader, leaves no stronger token behind. A token of the
operator, made on the command line, depends on no member.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hmac import compare_digest
from random import Random
from typing import Literal, cast, get_args

import structlog
from sqlalchemy import Connection, insert, or_, select, update

from pipeline.core.errors import Misconfigured
from pipeline.core.names import check_name
from pipeline.core.roles import ALLOWED, PERMISSIONS, Permission, Role
from pipeline.infra.crypto.keyed_hashes import KEY_BYTES, hash_secret, open_key, seal_key
from pipeline.ledger.audit import Actor, record_action
from pipeline.ledger.schema.accounts import Membership, User
from pipeline.ledger.schema.api_tokens import ApiToken

Scope = Literal["read", "read-people", "replay", "operate", "settings", "rights"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
SCOPE_TEXTS: Mapping[Scope, str] = {
    "read": "shops, events, messages, connections, warehouses, orders, what needs attention, and figures; "
    "no names and no addresses",
    "read-people": "people, and all that names them in events, messages and orders",
    "replay": "send again, release boxes, freeze batches, and export and import files of a warehouse",
    "operate": "pause and resume connections and warehouses, and act on what needs attention",
    "settings": "connect a warehouse, change its keys and its settings, and have it go live",
    "rights": "export and erase people",
}
# What the role of a token's maker must allow.
NEEDED: Mapping[Scope, frozenset[Permission]] = {
    "read": frozenset({"see"}),
    "read-people": frozenset({"see"}),
    "replay": frozenset({"replay"}),
    "operate": frozenset({"pause", "set_aside"}),
    "settings": frozenset({"change_settings"}),
    "rights": frozenset({"personal_data"}),
}

PREFIX = "cwt_"
MAX_DAYS = 400
MAX_TOKENS = 50  # of an account, that are valid at the same time
MAX_NAME_CHARS = 80
USE_INTERVAL_US = 60_000_000  # between two writes of the time of the last use
DAY_US = 86_400_000_000
_UID_BITS = 48
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to make. `created_by`: the id of a user; None: the operator."""

    account_id: int
    name: str
    scopes: Sequence[Scope]
    days: int
    created_by: int | None = None


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as lists show it. Times in µs. `maker`: the address of the user who made it."""

    id: int
    account_id: int
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    created_by: int | None
    maker: str | None = field(repr=False)
    created_at: int
    expires_at: int
    last_used_at: int | None
    revoked_at: int | None

    def is_valid(self, now: int) -> bool:
        """Whether it is neither revoked nor over."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who calls the API. `scopes`: those that the token has and its maker's present role allows."""

    token_id: int
    account_id: int
    user_id: int | None
    name: str
    scopes: frozenset[Scope]
    expires_at: int
    last_used_at: int | None


def create_token(
    conn: Connection, secret_keys: Sequence[str], new: NewToken, rng: Random, actor: Actor, now: int
) -> str:
    """Make a token; returns its text, which is nowhere else. Raise Misconfigured for a bad name or end."""
    name, scopes = _check(new)
    if sum(row.is_valid(now) for row in list_tokens(conn, [new.account_id])) >= MAX_TOKENS:
        raise Misconfigured(f"an account has at most {MAX_TOKENS} valid tokens: revoke one first")
    uid = f"{rng.getrandbits(_UID_BITS):012x}"
    secret = f"{rng.getrandbits(8 * KEY_BYTES):064x}"
    key = rng.getrandbits(8 * KEY_BYTES).to_bytes(KEY_BYTES, "big")
    values = {
        "account_id": new.account_id,
        "uid": uid,
        "name": name,
        "scopes": scopes,
        "sealed": seal_key(secret_keys, key, uid, "api_tokens"),
        "secret_hash": hash_secret(key, secret),
        "created_by": new.created_by,
        "created_at": now,
        "expires_at": now + new.days * DAY_US,
    }
    token_id = conn.execute(insert(ApiToken).values(values).returning(ApiToken.id)).scalar_one()
    _record(conn, "token.created", new.account_id, token_id, actor, now)
    return f"{PREFIX}{uid}_{secret}"


def list_tokens(conn: Connection, account_ids: Collection[int]) -> list[TokenRow]:
    """The tokens of these accounts, the newest first; those that have ended too."""
    query = select(ApiToken.__table__, User.email.label("maker")).join(
        User, User.id == ApiToken.created_by, isouter=True
    )
    rows = conn.execute(query.where(ApiToken.account_id.in_(account_ids)).order_by(ApiToken.id.desc()))
    as_they_are = [name for name in TokenRow.__slots__ if name not in ("prefix", "scopes")]
    return [
        TokenRow(
            **{name: getattr(row, name) for name in as_they_are},
            prefix=f"{PREFIX}{row.uid}",
            scopes=_order(row.scopes),
        )
        for row in rows
    ]


def revoke_token(conn: Connection, account_id: int, token_id: int, actor: Actor, now: int) -> bool:
    """End a token at once; False if the account has no such token, or it was revoked before."""
    mine = ApiToken.id == token_id, ApiToken.account_id == account_id, ApiToken.revoked_at.is_(None)
    statement = update(ApiToken).where(*mine).values(revoked_at=now).returning(ApiToken.id)
    if conn.execute(statement).scalar() is None:
        return False
    _record(conn, "token.revoked", account_id, token_id, actor, now)
    return True


def authenticate(conn: Connection, secret_keys: Sequence[str], text: str, now: int) -> Bearer | None:
    """Whose token this is; None if there is no such token, if it has ended, or if its maker is no member any more."""
    uid, _, secret = text.removeprefix(PREFIX).partition("_")
    if not text.startswith(PREFIX) or not secret:
        return None
    is_member = (Membership.account_id == ApiToken.account_id) & (Membership.user_id == ApiToken.created_by)
    query = select(ApiToken.__table__, Membership.role).join(Membership, is_member, isouter=True)
    row = conn.execute(query.where(ApiToken.uid == uid)).one_or_none()
    if row is None or row.revoked_at is not None or now >= row.expires_at:
        return None
    if row.created_by is not None and row.role is None:
        return None
    try:
        key = open_key(secret_keys, row.sealed, uid, "api_tokens")
    except Misconfigured:
        _log.error("a token's key cannot be decrypted", token=row.id)
        return None
    if not compare_digest(hash_secret(key, secret), row.secret_hash):
        return None
    may = frozenset(PERMISSIONS) if row.created_by is None else ALLOWED[cast("Role", row.role)]
    scopes = frozenset(scope for scope in _order(row.scopes) if may >= NEEDED[scope])
    return Bearer(row.id, row.account_id, row.created_by, row.name, scopes, row.expires_at, row.last_used_at)


def note_use(conn: Connection, token_id: int, now: int) -> None:
    """Record that the token is used, unless that was done within the last minute."""
    is_due = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at <= now - USE_INTERVAL_US)
    conn.execute(update(ApiToken).where(ApiToken.id == token_id, is_due).values(last_used_at=now))


def _record(conn: Connection, action: str, account_id: int, token_id: int, actor: Actor, now: int) -> None:
    record_action(conn, account_id=account_id, actor=actor, action=action, at=now, about={"token": token_id})


def _check(new: NewToken) -> tuple[str, list[Scope]]:
    complaint = f"say what the token is for, in at most {MAX_NAME_CHARS} printable characters"
    name = check_name(new.name, MAX_NAME_CHARS, complaint)
    if not 1 <= new.days <= MAX_DAYS:
        raise Misconfigured(f"a token ends after 1 to {MAX_DAYS} days")
    scopes = list(_order(new.scopes))
    if not scopes:
        raise Misconfigured(f"choose at least one scope: {', '.join(SCOPES)}")
    return name, scopes


def _order(scopes: Collection[str]) -> tuple[Scope, ...]:
    """The known scopes among these, in the order of the list."""
    return tuple(scope for scope in SCOPES if scope in scopes)
