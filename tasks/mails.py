"""Sends the mail that waits in the ledger, and forgets what left long ago."""

from __future__ import annotations

from pipeline.mail.outbox import MailDeps, send_due_mails
from pipeline.mail.outbox import delete_old_mails as forget_old
from pipeline.mail.transport import open_mail_transport
from tasks.app import task
from tasks.process import ProcessContext, get_process_context


@task("mails.sweep")
def sweep() -> None:
    """Send whatever may leave."""
    send_due_mails(_build_mail_outbox(get_process_context()))


@task("mails.tidy")
def tidy() -> None:
    """Forget what left long ago."""
    forget_old(_build_mail_outbox(get_process_context()))


def _build_mail_outbox(here: ProcessContext) -> MailDeps:
    settings = here.settings
    post = open_mail_transport(settings.smtp_url, settings.mail_from, settings.data_dir)
    return MailDeps(here.engine, settings.secret_keys, post, here.now)
