"""Users as Flask-Security sees them: rows of the ledger, locked for a network after failures."""

from __future__ import annotations

from typing import Any, ClassVar

from flask_security import RoleMixin, UserMixin
from flask_security.datastore import UserDatastore
from sqlalchemy import func, select

from pipeline.ledger.engine import writing
from pipeline.ledger.log_ins import LockoutLimits, clear_failed_log_ins, is_locked, record_failed_log_in
from pipeline.ledger.schema.accounts import User
from pipeline.mail.outbox import MailRequest, enqueue_mail_if_allowed
from pipeline.mail.transport import MailMessage
from receiver.pages.db_session import get_context, get_session
from receiver.pages.rate_limit import get_network_tag

MAX_FAILURES_PER_NETWORK = 10  # in a row, from one network
MAX_FAILURES = 100  # from all networks together; a network in which the user is logged in is not among them
LOCK_MINUTES = 15
LOCK_LIMITS = LockoutLimits(MAX_FAILURES_PER_NETWORK, MAX_FAILURES, LOCK_MINUTES * 60_000_000)
_LOCKED_TEXT = f"""A wrong password or code was entered for your address {MAX_FAILURES_PER_NETWORK} times in a row.
From where that was done, log-ins with your address fail for {LOCK_MINUTES} minutes, with the right password too.

If it was you: wait, or choose a new password, which lifts the lock. If it was not: your password has held, and
nothing needs to be done.
"""


class WebUser(UserMixin, User):  # type: ignore[misc]  # our times are numbers, and everybody has a password
    """A user who can be logged in. Their rights are their part in accounts: there are no roles besides."""

    roles: ClassVar[list[Any]] = []  # type: ignore[misc]  # as above

    def __init__(self, **given: Any) -> None:
        given.pop("roles", None)
        super().__init__(**{"created_at": get_context().now(), "failures": 0, "locked_until": 0, **given})

    @property
    def locked(self) -> bool:
        return is_locked(get_session().connection(), self.id, get_network_tag(), get_context().now())

    def verify_and_update_password(self, password: str) -> bool:
        """While locked the right password fails like a wrong one: the answer must not tell which it was."""
        right: bool = super().verify_and_update_password(password)
        return right and not self.locked

    def track_failed_authn(self, auth_type: str, tfa: bool = False) -> None:  # noqa: FBT001, FBT002 - Flask-Security's
        super().track_failed_authn(auth_type, tfa)
        if self.locked:
            return
        site = get_context()
        with writing(site.engine) as db:
            if record_failed_log_in(db, self.id, get_network_tag(), LOCK_LIMITS, site.now()):
                letter = MailMessage(self.email, "Too many failed log-ins", _LOCKED_TEXT)
                enqueue_mail_if_allowed(db, site.settings.secret_keys, letter, MailRequest("lock"), site.now())

    def reset_failures(self, *, everywhere: bool) -> None:
        """They proved who they are. `everywhere`: with a new password, so that what others guessed is worth nothing."""
        clear_failed_log_ins(get_session().write_connection(), self.id, None if everywhere else get_network_tag())
        get_session().commit()


class SessionUserDatastore(UserDatastore):
    """Flask-Security's way to users, over the request's session."""

    def __init__(self) -> None:
        super().__init__(WebUser, RoleMixin)

    def commit(self) -> None:
        get_session().commit()

    def put(self, model: Any) -> Any:
        get_session().add(model)
        return model

    def delete(self, model: Any) -> None:
        get_session().delete(model)

    def find_user(self, case_insensitive: bool = False, **by: Any) -> WebUser | None:  # noqa: FBT001, FBT002 - as above
        [(name, value)] = by.items()
        column = getattr(WebUser, name)
        same = column == func.lower(value) if case_insensitive else column == value
        return get_session().scalar(select(WebUser).where(same))

    def mf_delete_recovery_code(self, user: UserMixin, idx: int) -> bool:
        """A new list: a change inside the old one would go unnoticed, and the code would work again."""
        codes = list(user.mf_recovery_codes or [])
        known = 0 <= idx < len(codes)
        if known:
            user.mf_recovery_codes = codes[:idx] + codes[idx + 1 :]
            self.put(user)
        return known

    def find_role(self, role: str) -> None:
        """There are none."""
