"""Users as Flask-Security sees them: rows of the ledger, locked for a network after failures."""

from __future__ import annotations

from typing import Any, ClassVar

from flask_security import RoleMixin, UserMixin
from flask_security.datastore import UserDatastore
from sqlalchemy import func, select

from pipeline.ledger.account_tables import User
from pipeline.ledger.engine import writing
from pipeline.ledger.log_ins import Limits, forgive, is_locked, note_failure
from pipeline.mail import Letter
from pipeline.mailing import Asked, write_if_allowed
from receiver.pages.crowd import network_tag
from receiver.pages.sessions import here, session

MOST_FAILURES = 10  # in a row, from one network
MOST_FAILURES_OF_ALL = 100  # from all networks together; a network in which the user is logged in is not among them
LOCK_MINUTES = 15
LIMITS = Limits(MOST_FAILURES, MOST_FAILURES_OF_ALL, LOCK_MINUTES * 60_000_000)
_LOCKED = f"""A wrong password or code was entered for your address {MOST_FAILURES} times in a row. From where that
was done, log-ins with your address fail for {LOCK_MINUTES} minutes, with the right password too.

If it was you: wait, or choose a new password, which lifts the lock. If it was not: your password has held, and
nothing needs to be done.
"""


class WebUser(UserMixin, User):  # type: ignore[misc]  # our times are numbers, and everybody has a password
    """A user who can be logged in. Their rights are their part in accounts: there are no roles besides."""

    roles: ClassVar[list[Any]] = []  # type: ignore[misc]  # as above

    def __init__(self, **given: Any) -> None:
        given.pop("roles", None)
        super().__init__(**{"created_at": here().now(), "failures": 0, "locked_until": 0, **given})

    @property
    def locked(self) -> bool:
        return is_locked(session().connection(), self.id, network_tag(), here().now())

    def verify_and_update_password(self, password: str) -> bool:
        """While locked the right password fails like a wrong one: the answer must not tell which it was."""
        right: bool = super().verify_and_update_password(password)
        return right and not self.locked

    def track_failed_authn(self, auth_type: str, tfa: bool = False) -> None:  # noqa: FBT001, FBT002 - Flask-Security's
        super().track_failed_authn(auth_type, tfa)
        if self.locked:
            return
        site = here()
        with writing(site.engine) as db:
            if note_failure(db, self.id, network_tag(), LIMITS, site.now()):
                letter = Letter(self.email, "Too many failed log-ins", _LOCKED)
                write_if_allowed(db, site.settings.secret_keys, letter, Asked("lock"), site.now())

    def forgive(self, *, everywhere: bool) -> None:
        """They proved who they are. `everywhere`: with a new password, so that what others guessed is worth nothing."""
        forgive(session().writing(), self.id, None if everywhere else network_tag())
        session().commit()


class Users(UserDatastore):
    """Flask-Security's way to users, over the request's session."""

    def __init__(self) -> None:
        super().__init__(WebUser, RoleMixin)

    def commit(self) -> None:
        session().commit()

    def put(self, model: Any) -> Any:
        session().add(model)
        return model

    def delete(self, model: Any) -> None:
        session().delete(model)

    def find_user(self, case_insensitive: bool = False, **by: Any) -> WebUser | None:  # noqa: FBT001, FBT002 - as above
        [(name, value)] = by.items()
        column = getattr(WebUser, name)
        same = column == func.lower(value) if case_insensitive else column == value
        return session().scalar(select(WebUser).where(same))

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
