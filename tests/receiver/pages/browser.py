"""Browsers for the pages: each keeps cookies and sends forms as they are on the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.test import TestResponse

from pipeline.context import Context
from pipeline.core.roles import Role
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.accounts import NewUser, add_member, add_user, create_account
from pipeline.ledger.connections import NewConnection, save_connection
from pipeline.ledger.engine import writing
from pipeline.ledger.schema.core import Account
from pipeline.ledger.stores import save_store
from pipeline.mail.outbox import send_due_mails
from pipeline.mail.transport import MailMessage
from receiver.pages.app import create_pages
from tests.compiled_once import SharedTemplates

PASSWORD = "a long enough one"
PUBLIC = "https://hooks.example.com"


@dataclass
class FakeMailTransport:
    """Keeps sent mails in a list."""

    letters: list[MailMessage] = field(default_factory=list)

    def send(self, letter: MailMessage) -> None:
        self.letters.append(letter)


@dataclass
class PagesInstallation:
    """The pages of an installation, with its clock and its mail."""

    site: Context
    app: Flask
    clock: list[int]

    @classmethod
    def of(cls, site: Context, clock: list[int]) -> PagesInstallation:
        app = create_pages(site)
        app.jinja_env.bytecode_cache = SharedTemplates()
        app.extensions["security"].pwd_context.update(argon2__memory_cost=64)  # these passwords need no protection
        return cls(site, app, clock)

    def visitor(self, peer: str = "127.0.0.1") -> Browser:
        """A browser; `peer`: its address, by default that of a proxy that forwards none."""
        client = self.app.test_client()
        client.environ_base["REMOTE_ADDR"] = peer
        return Browser(self, client)

    def mail(self) -> list[MailMessage]:
        """The mails since the last call."""
        box = FakeMailTransport()
        send_due_mails(self.site, box)
        return box.letters

    def user(self, email: str = "bea@example.com") -> int:
        """A confirmed user with PASSWORD."""
        from flask_security import hash_password  # noqa: PLC0415 it needs the application

        with self.app.app_context():
            hashed = hash_password(PASSWORD)
        with writing(self.site.engine) as conn:
            found = add_user(conn, NewUser(email, hashed, f"id of {email}", confirmed=True), self.site.now())
        assert found is not None
        return found

    def member(self, email: str, account_id: int | None = None, role: Role = "owner") -> int:
        """A user in an account, a new one if none is given; the account's id."""
        user_id = self.user(email)
        with writing(self.site.engine) as conn:
            joined = account_id or create_account(conn, self.site.now())
            add_member(conn, joined, user_id, role, self.site.now())
        return joined

    def store(self, name: str, account_id: int) -> int:
        """A connected store of an account."""
        with writing(self.site.engine) as conn:
            account = conn.execute(Account.__table__.select().where(Account.id == account_id)).one().name
            store = save_store(conn, name, self.site.now(), account=account)
            sealed = encrypt(self.site.settings.secret_keys, {"site_id": "s", "api_key": "k"})
            save_connection(
                conn, NewConnection(store.id, "customerio", f"workspace of {name}", sealed), self.site.now()
            )
        return store.id

    def logged_in(self, email: str, peer: str = "127.0.0.1") -> Browser:
        visitor = self.visitor(peer)
        visitor.log_in(email)
        return visitor


class Browser:
    """A browser of a visitor."""

    def __init__(self, pages: PagesInstallation, client: Any) -> None:
        self._pages = pages
        self._client = client
        self.page = ""
        self.status = 0
        self.where = ""
        self.headers: Any = None

    def go(self, path: str) -> str:
        """Open a URL of the site; redirects are followed."""
        return self._take(self._client.get(_path(path), base_url=PUBLIC, follow_redirects=True))

    def head(self, path: str) -> None:
        """Send a HEAD request."""
        self._client.head(_path(path), base_url=PUBLIC)

    def press(self, link: str) -> str:
        """Open a link in a mail, and press the button on its page."""
        self.go(link)
        return self.send()

    def cookie(self) -> dict[str, Any]:
        """The content of the session cookie."""
        with self._client.session_transaction(base_url=PUBLIC) as held:
            return dict(held)

    def send(self, action: str | None = None, **fields: str) -> str:
        """Send the first form of the page as it is, or one with its token to another URL."""
        form = _form_on(self.page)
        if action:
            form = _Form(action, {name: value for name, value in form.hidden.items() if name == "csrf_token"})
        referrer = {"Referer": f"{PUBLIC}{self.where}"}
        path, given = _path(form.action or self.where), {**form.hidden, **fields}
        sent = self._client.post(path, data=given, base_url=PUBLIC, follow_redirects=True, headers=referrer)
        return self._take(sent)

    def share(self, other: Browser) -> None:
        """Copy the cookies of another browser."""
        for cookie in other._client._cookies.values():
            self._client.set_cookie(cookie.key, cookie.value, domain=cookie.domain, path=cookie.path, secure=True)

    def ask(self, path: str, **query: str) -> TestResponse:
        """Open a URL without following redirects."""
        answer: TestResponse = self._client.get(path, query_string=query, base_url=PUBLIC)
        return answer

    def send_only(self, action: str, headers: Mapping[str, str] | None = None, **fields: str) -> TestResponse:
        """Send a form with the page's token, without following redirects."""
        hidden = _form_on(self.page).hidden
        sent = {"Referer": f"{PUBLIC}{self.where}", **(headers or {})}
        answer: TestResponse = self._client.post(action, data=hidden | fields, base_url=PUBLIC, headers=sent)
        return answer

    def log_in(self, email: str = "bea@example.com", password: str = PASSWORD) -> str:
        self.go("/login")
        return self.send("/login", email=email, password=password)

    def is_logged_in(self) -> bool:
        self.go("/account")
        return self.where == "/account"

    @property
    def text(self) -> str:
        """The visible text of the page."""
        reader = _Reader()
        reader.feed(self.page)
        return " ".join(" ".join(reader.parts).split())

    def _take(self, answer: TestResponse) -> str:
        self.page, self.status, self.where = answer.text, answer.status_code, answer.request.path
        self.headers = answer.headers
        answer.close()
        return self.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


@dataclass
class _Form:
    action: str
    hidden: dict[str, str]


def _form_on(page: str) -> _Form:
    main = page.partition("<main ")[2]
    found = re.search(r"<form[^>]*method=.post.[^>]*>.*?</form>", main, re.DOTALL)
    if found is None:
        return _Form("", {})
    action = re.match(r'<form[^>]*action="([^"]*)"', found[0])
    tags = re.findall(r"<input[^>]*type=.hidden.[^>]*>", found[0])
    hidden = {re.search(r'name="([^"]*)"', tag)[1]: unescape(_value_of(tag)) for tag in tags}  # type: ignore[index]
    return _Form(unescape(action[1]) if action else "", hidden)


def _value_of(tag: str) -> str:
    value = re.search(r'value="([^"]*)"', tag)
    return value[1] if value else ""


def _path(address: str) -> str:
    parts = urlsplit(address)
    return parts.path + (f"?{parts.query}" if parts.query else "")
