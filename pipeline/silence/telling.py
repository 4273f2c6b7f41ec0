"""Tells whoever must know of an alarm: once when it opens, once a day while it lasts, once when it is over.

Everything about one account's stores that is to be told at one time is one letter and one notice, and an account hears
at most once an hour. What is told is written down in the transaction that notes it as told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection

from pipeline.ledger.owners import owners_of
from pipeline.ledger.silence.alarms import AlarmRow, close_alarms, note_told, told_since, unclosed_alarms
from pipeline.ledger.silence.notices import write_notice
from pipeline.mail import Letter
from pipeline.mailing import write
from pipeline.silence.words import News, content_of, subject_of, text_of

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US


@dataclass(frozen=True, slots=True)
class Audience:
    """How people and programs are told. `notices`: whether a program is."""

    secret_keys: Sequence[str]
    public_url: str
    notices: bool
    nonce: Callable[[], str]


def tell(db: Connection, audience: Audience, now: int) -> int:
    """Tell what is to be told now; to how many accounts."""
    alarms = unclosed_alarms(db)
    close_alarms(db, [one.id for one in alarms if one.ended_at is not None and one.told_at is None], now)
    told = 0
    for account_id, mine in _by_account(alarms):
        news = news_of(mine, now)
        if news is not None and not told_since(db, account_id, now - HOUR_US):
            _tell(db, audience, account_id, news, now)
            told += 1
    return told


def news_of(alarms: Sequence[AlarmRow], now: int) -> News | None:
    """What of these alarms is to be told now; None if nothing is."""
    opened = [one for one in alarms if one.ended_at is None and one.told_at is None and one.tried_at is not None]
    known = [one for one in alarms if one.ended_at is None and one.told_at is not None]
    ended = [one for one in alarms if one.ended_at is not None and one.told_at is not None]
    remind = any((one.told_at or now) <= now - DAY_US for one in known)
    return News(opened, known, ended) if opened or ended or remind else None


def _tell(db: Connection, audience: Audience, account_id: int | None, news: News, now: int) -> None:
    subject, text = subject_of(news), text_of(news, audience.public_url)
    for address in owners_of(db, account_id):
        write(db, audience.secret_keys, Letter(address, subject, text), now)
    if audience.notices:
        write_notice(db, f"msg_{audience.nonce()}", content_of(news, now), now)
    note_told(db, [one.id for one in (*news.opened, *news.still_open)], now)
    close_alarms(db, [one.id for one in news.ended], now)


def _by_account(alarms: Sequence[AlarmRow]) -> Iterator[tuple[int | None, list[AlarmRow]]]:
    """None: about all stores, for all owners."""
    ordered = sorted(alarms, key=lambda one: (one.account_id or 0, one.id))
    for account_id, mine in groupby(ordered, key=lambda one: one.account_id):
        yield account_id, list(mine)
