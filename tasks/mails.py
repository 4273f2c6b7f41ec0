"""Sends the mails of the outbox, and deletes old ones."""

from __future__ import annotations

from pipeline.mail.outbox import delete_old_mails, send_due_mails
from pipeline.mail.transport import open_mail_transport
from tasks.app import task
from tasks.process import get_process_context


@task("mails.sweep")
def sweep() -> None:
    """Send the mails that are due."""
    context = get_process_context()
    settings = context.settings
    send_due_mails(context, open_mail_transport(settings.smtp_url, settings.mail_from, settings.data_dir))


@task("mails.tidy")
def tidy() -> None:
    """Delete mails that were sent long ago, and old letters in the maildir."""
    delete_old_mails(get_process_context())
