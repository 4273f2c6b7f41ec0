"""Flask-Security's users: rows of the ledger, locked for a network after failed log-ins."""

from __future__ import annotations

from typing import Any, ClassVar

import structlog
from flask_security import RoleMixin, UserMixin
from flask_security.datastore import UserDatastore
from sqlalchemy import func, select

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import writing
from pipeline.ledger.log_ins import LockoutLimits, clear_failed_log_ins, is_locked, record_failed_log_in
from pipeline.ledger.schema.accounts import User
from pipeline.mail.outbox import MailRequest, enqueue_mail_if_allowed
from pipeline.mail.transport import MailMessage
from receiver.pages.auth.keys import bind, unbind
from receiver.pages.db_session import get_context, get_session
from receiver.pages.rate_limit import get_network_tag

log = structlog.get_logger(__name__)

MAX_FAILURES_PER_NETWORK = 10  # in a row
MAX_FAILURES = 100  # from all networks together, except those in which the user is logged in
LOCK_MINUTES = 15
LOCK_LIMITS = LockoutLimits(MAX_FAILURES_PER_NETWORK, MAX_FAILURES, LOCK_MINUTES * 60_000_000)
_LOCKED_TEXT = f"""A wrong password or code was entered for your address {MAX_FAILURES_PER_NETWORK} times in a row.
From that network, log-ins with your address fail for {LOCK_MINUTES} minutes, even with the right password.

If it was you: wait, or choose a new password, which removes the lock. If it was not you: your password is safe, and
nothing needs to be done.
"""


class WebUser(UserMixin, User):  # type: ignore[misc]  # our times are numbers, and every user has a password
    """A user who can log in. Permissions come from account memberships; Flask-Security's roles are not used."""

    roles: ClassVar[list[Any]] = []  # type: ignore[misc]  # as above

    def __init__(self, **given: Any) -> None:
        given.pop("roles", None)
        super().__init__(**{"created_at": get_context().now(), "failures": 0, "locked_until": 0, **given})

    @property
    def is_locked_out(self) -> bool:
        return is_locked(get_session().connection(), self.id, get_network_tag(), get_context().now())

    def verify_and_update_password(self, password: str) -> bool:
        """Verify the password. While locked, the right one fails like a wrong one: the answer must not confirm it."""
        is_valid: bool = super().verify_and_update_password(password)
        return is_valid and not self.is_locked_out

    def track_failed_authn(self, auth_type: str, tfa: bool = False) -> None:  # noqa: FBT001, FBT002 - Flask-Security's
        super().track_failed_authn(auth_type, tfa)
        if self.is_locked_out:
            return
        context = get_context()
        with writing(context.engine) as conn:
            if record_failed_log_in(conn, self.id, get_network_tag(), LOCK_LIMITS, context.now()):
                mail = MailMessage(self.email, "Too many failed log-ins", _LOCKED_TEXT)
                enqueue_mail_if_allowed(conn, context.settings.secret_keys, mail, MailRequest("lock"), context.now())

    def reset_failures(self, *, everywhere: bool) -> None:
        """Reset the failures of this network, or `everywhere` after a new password."""
        clear_failed_log_ins(get_session().write_connection(), self.id, None if everywhere else get_network_tag())
        get_session().commit()


class SessionUserDatastore(UserDatastore):
    """Flask-Security's datastore on the session of the request."""

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
        condition = column == func.lower(value) if case_insensitive else column == value
        return get_session().scalar(select(WebUser).where(condition))

    def tf_set(
        self, user: UserMixin, primary_method: str, totp_secret: str | None = None, phone: str | None = None
    ) -> None:
        """Save a second factor, encrypted for its user's row."""
        if totp_secret and totp_secret != user.tf_totp_secret:
            totp_secret = bind(get_context().settings.secret_keys, user.id, totp_secret)
        super().tf_set(user, primary_method, totp_secret, phone)

    def mf_set_recovery_codes(self, user: UserMixin, rcs: list[str] | None) -> None:
        """Save recovery codes, each encrypted for its user's row."""
        keys = get_context().settings.secret_keys
        super().mf_set_recovery_codes(user, None if rcs is None else [bind(keys, user.id, code) for code in rcs])

    def mf_get_recovery_codes(self, user: UserMixin) -> list[str]:
        """Return the codes as Flask-Security encrypts them; none if they were put into another user's row."""
        keys = get_context().settings.secret_keys
        try:
            return [unbind(keys, user.id, code) for code in user.mf_recovery_codes or ()]
        except Misconfigured as error:
            log.warning("recovery codes are refused", user=user.id, reason=str(error))
            return []

    def mf_delete_recovery_code(self, user: UserMixin, idx: int) -> bool:
        """Delete a code. Assigns a new list: SQLAlchemy would not notice a change inside the old one."""
        codes = list(user.mf_recovery_codes or [])
        is_known = 0 <= idx < len(codes)
        if is_known:
            user.mf_recovery_codes = codes[:idx] + codes[idx + 1 :]
            self.put(user)
        return is_known

    def find_role(self, role: str) -> None:
        """Return None: roles are not used."""
