"""Sends the mail that waits in the ledger, and forgets what left long ago."""

from __future__ import annotations

from pipeline.mail.outbox import delete_old_mails, send_due_mails
from pipeline.mail.transport import open_mail_transport
from tasks.app import task
from tasks.process import get_process_context


@task("mails.sweep")
def sweep() -> None:
    """Send whatever may leave."""
    context = get_process_context()
    settings = context.settings
    send_due_mails(context, open_mail_transport(settings.smtp_url, settings.mail_from, settings.data_dir))


@task("mails.tidy")
def tidy() -> None:
    """Forget what left long ago."""
    delete_old_mails(get_process_context())
