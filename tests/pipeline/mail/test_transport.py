"""Mails are sent through an SMTP server, or put into a maildir."""

from __future__ import annotations

import mailbox

import pytest

from pipeline.core.errors import Misconfigured, RequestRefused, Unreachable
from pipeline.mail.transport import SMTP, Maildir, MailMessage, open_mail_transport
from tests.servers.process import free_port
from tests.servers.smtp import mail_server

SENDER = "Cratewire <cratewire@example.com>"
MAIL = MailMessage("bea@example.com", "Grüße", "Folgen Sie:\n\nhttps://example.com/confirm/x?a=1\n\nDanke.")


@pytest.fixture
def server():
    with mail_server() as running:
        yield running


def test_a_mail_server_gets_the_mail_as_it_was_written(server):
    SMTP(server.url, SENDER).send(MAIL)

    [(recipient, message)] = server.kept
    assert recipient == "bea@example.com"
    assert (message["Subject"], message["From"], message["To"]) == ("Grüße", SENDER, "bea@example.com")
    assert message.get_content().replace("\r\n", "\n").strip() == MAIL.text


def test_a_mail_is_marked_as_automatic(server):
    SMTP(server.url, SENDER).send(MAIL)

    assert server.kept[0][1]["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize(("step", "answer"), [("RCPT", "550 no one here"), ("DATA", "554 spam")])
def test_a_final_refusal_is_not_retried(server, step, answer):
    server.says[step] = answer

    with pytest.raises(RequestRefused):
        SMTP(server.url, SENDER).send(MAIL)


@pytest.mark.parametrize(
    ("step", "answer"),
    [("RCPT", "450 later"), ("DATA", "451 later"), ("MAIL", "530 log in first"), ("MAIL", "421 bye")],
)
def test_a_temporary_failure_is_retried(server, step, answer):
    server.says[step] = answer

    with pytest.raises(Unreachable):
        SMTP(server.url, SENDER).send(MAIL)


def test_a_refusal_names_no_recipient(server):
    server.says["RCPT"] = "550 <bea@example.com> unknown"

    with pytest.raises(RequestRefused) as refusal:
        SMTP(server.url, SENDER).send(MAIL)

    assert "bea" not in str(refusal.value)


def test_an_unavailable_server_is_retried():
    with pytest.raises(Unreachable):
        SMTP(f"smtp://127.0.0.1:{free_port()}", SENDER).send(MAIL)


def test_a_password_is_not_sent_without_tls(server):
    with pytest.raises(Misconfigured):
        SMTP(server.url.replace("//", "//user:word@"), SENDER).send(MAIL)


def test_without_a_server_mails_are_in_the_maildir(tmp_path):
    open_mail_transport(None, SENDER, tmp_path).send(MAIL)

    [message] = mailbox.Maildir(tmp_path / "mail", create=False)
    assert message["To"] == "bea@example.com"


def test_a_maildir_that_cannot_be_written_is_retried(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(Unreachable):
        Maildir(tmp_path / "file" / "mail", SENDER).send(MAIL)


def test_a_mail_lists_its_links():
    assert MAIL.links == ["https://example.com/confirm/x?a=1"]


def test_the_repr_of_a_mail_shows_neither_recipient_nor_text():
    assert "bea" not in repr(MAIL)
    assert "confirm" not in repr(MAIL)
