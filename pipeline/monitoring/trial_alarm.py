"""A test alarm: it goes the way of a real one, so that one sees whether it arrives."""

from __future__ import annotations

from typing import Any

from pipeline.context import Context
from pipeline.mail.transport import MailMessage
from pipeline.monitoring.alert_webhook import send_notice
from pipeline.monitoring.messages import AlertDigest, build_notice

_TEXT = """This is a test. An alarm reaches you in the same way when a store's hooks stop or do not arrive.

{public_url}
"""


def build_trial_mail(recipient: str, public_url: str) -> MailMessage:
    """The mail to one recipient."""
    return MailMessage(recipient, "A test alarm of Cratewire", _TEXT.format(public_url=public_url))


def send_trial_notice(context: Context) -> dict[str, Any] | None:
    """Send the notice. Returns its outcome; None if no alarm URL is set."""
    url = context.settings.alarm_url
    if not url:
        return None
    content = build_notice(AlertDigest(), context.now()) | {"type": "alarms.test"}
    fault = send_notice(context, url, f"msg_{context.make_nonce()}", content)
    return {"taken": fault is None, "fault": fault}
