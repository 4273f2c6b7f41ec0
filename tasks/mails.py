"""Sends the mail that waits in the ledger, and forgets what left long ago."""

from __future__ import annotations

from pipeline.mail import open_post
from pipeline.mailing import Mailing, send_waiting
from pipeline.mailing import tidy as forget_old
from tasks.app import task
from tasks.process import Process, this_process


@task("mails.sweep")
def sweep() -> None:
    """Send whatever may leave."""
    send_waiting(_mailing(this_process()))


@task("mails.tidy")
def tidy() -> None:
    """Forget what left long ago."""
    forget_old(_mailing(this_process()))


def _mailing(here: Process) -> Mailing:
    settings = here.settings
    post = open_post(settings.smtp_url, settings.mail_from, settings.data_dir)
    return Mailing(here.engine, settings.secret_keys, post, here.now)
