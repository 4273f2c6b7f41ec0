"""Tells whoever must know of an alarm: once when it opens, once a day while it lasts, once when it is over.

Everything about one account's stores that is to be told at one time is one letter and one notice. What opens is told at
once, unless the same thing was over less than an hour ago. An account gets a few letters an hour at the most; what is
left over is the next letter's. What is told is written down in the transaction that notes it as told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection

from pipeline.ledger.owners import first_owners, owners_of
from pipeline.ledger.silence.alarms import (
    MERCHANT,
    WAY_IN,
    AlarmRow,
    Place,
    close_alarms,
    letters_since,
    note_told,
    told_lately,
    unclosed_alarms,
)
from pipeline.ledger.silence.notices import write_notice
from pipeline.mail import Letter
from pipeline.mailing import write
from pipeline.silence.words import News, content_of, subject_of, text_of

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
MOST_AN_HOUR = 6
OPERATORS = 0  # instead of an account's id: no account has it


@dataclass(frozen=True, slots=True)
class Audience:
    """How people and programs are told. `notices`: whether a program is. `operator`: the addresses of who runs this."""

    secret_keys: Sequence[str]
    public_url: str
    notices: bool
    nonce: Callable[[], str]
    operator: Sequence[str] = ()


def tell(db: Connection, audience: Audience, now: int) -> int:
    """Tell what is to be told now; to how many accounts."""
    alarms = unclosed_alarms(db)
    close_alarms(db, [one.id for one in alarms if one.ended_at is not None and one.told_at is None], now)
    lately = told_lately(db, now - HOUR_US)
    told = 0
    for account_id, mine in _by_account(alarms):
        news = news_of(mine, now, lately)
        if news is not None and letters_since(db, account_id or None, now - HOUR_US) < MOST_AN_HOUR:
            _tell(db, audience, account_id, news, now)
            told += 1
    return told


def news_of(alarms: Sequence[AlarmRow], now: int, lately: Collection[Place] = ()) -> News | None:
    """What of these alarms is to be told now; None if nothing is. `lately`: what was over within the last hour."""
    untold = [one for one in alarms if one.ended_at is None and one.told_at is None and one.tried_at is not None]
    opened = [one for one in untold if one.place not in lately]
    known = [one for one in alarms if one.ended_at is None and one.told_at is not None]
    ended = [one for one in alarms if one.ended_at is not None and one.told_at is not None and _is_summed_up(one)]
    return News(opened, known, ended) if opened or ended or _is_reminder(known, now) else None


def _is_reminder(known: Sequence[AlarmRow], now: int) -> bool:
    """Whether one of these was last told of a day ago; then all are told of again."""
    return any((one.told_at or now) <= now - DAY_US for one in known)


def _is_summed_up(alarm: AlarmRow) -> bool:
    """Whether there is nothing more to find out about what it has cost."""
    return not alarm.said or "over" in alarm.said


def _tell(db: Connection, audience: Audience, account_id: int | None, news: News, now: int) -> None:
    subject, text = subject_of(news), text_of(news, audience.public_url)
    for address in _recipients(db, audience, account_id):
        write(db, audience.secret_keys, Letter(address, subject, text), now)
    if audience.notices:
        write_notice(db, f"msg_{audience.nonce()}", content_of(news, now), now)
    reminded = news.still_open if _is_reminder(news.still_open, now) else ()
    note_told(db, [one.id for one in (*news.opened, *reminded)], now)
    close_alarms(db, [one.id for one in news.ended], now)


def _recipients(db: Connection, audience: Audience, account_id: int | None) -> Collection[str]:
    """A store whose account has no owner to write to is the operator's concern."""
    if account_id is None:
        return sorted({*owners_of(db, None), *audience.operator})
    if account_id == OPERATORS:
        return audience.operator or first_owners(db)
    return owners_of(db, account_id) or audience.operator


def _by_account(alarms: Sequence[AlarmRow]) -> Iterator[tuple[int | None, list[AlarmRow]]]:
    """None: for all owners."""
    ordered = sorted(alarms, key=lambda one: (_account_of(one) is not None, _account_of(one) or OPERATORS, one.id))
    for account_id, mine in groupby(ordered, key=_account_of):
        yield account_id, list(mine)


def _account_of(alarm: AlarmRow) -> int | None:
    """A broken way in concerns the owners of all stores; what else is the operator's concerns no other."""
    if alarm.kind == WAY_IN:
        return None
    return alarm.account_id if alarm.audience == MERCHANT else OPERATORS
