"""Takes the mails and notices that wait, as the tasks that send them do, and marks them sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine

from pipeline.infra.crypto.encryption import decrypt
from pipeline.ledger.engine import writing
from pipeline.ledger.mail_outbox import MAILS
from pipeline.ledger.monitoring.alarms import NOTICES


def take_mails(engine: Engine, keys: Sequence[str], now: int) -> list[tuple[str, str, str]]:
    """(recipient, subject, text) of what was written since the last time."""
    found = []
    with writing(engine) as conn:
        for mail_id in MAILS.list_due(conn, now):
            mail = MAILS.claim(conn, mail_id, now)
            assert mail is not None
            content = decrypt(keys, mail.content)
            found.append((mail.recipient, content["subject"], content["text"]))
            MAILS.mark_sent(conn, mail_id, now)
    return found


def take_notices(engine: Engine, now: int) -> list[dict[str, Any]]:
    """The notices written since the last time."""
    found = []
    with writing(engine) as conn:
        for notice_id in NOTICES.list_due(conn, now):
            notice = NOTICES.claim(conn, notice_id, now)
            assert notice is not None
            found.append(notice.content)
            NOTICES.mark_sent(conn, notice_id, now)
    return found
