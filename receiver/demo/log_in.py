"""Makes a log-in for the demo's pages, as an invited person does: the invitation, its page, and a password."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from pipeline.core.errors import CratewireError
from receiver.demo.calls import run_json_command
from receiver.demo.processes import DemoInstallation, DemoProcesses

EMAIL = "you@example.com"
_PASSWORD_BYTES = 9
_TIMEOUT_S = 30
_CSRF_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_FOUND, _MOVED = 200, 302


@dataclass(frozen=True, slots=True)
class LogIn:
    """A user of the demo's pages, who owns its store."""

    email: str
    password: str = field(repr=False)


def make_log_in(processes: DemoProcesses, installation: DemoInstallation) -> LogIn:
    """Invite a user and choose a password for them. Raises CratewireError if the pages refuse."""
    link = run_json_command(processes, "receiver.cli", "accounts", "invite", EMAIL, "--json")["link"]
    made = LogIn(EMAIL, secrets.token_urlsafe(_PASSWORD_BYTES))
    path = urlsplit(link).path
    status, page, cookie = _call(installation.web, "GET", path)
    found = _CSRF_TOKEN.search(page)
    if status != _FOUND or found is None:
        raise CratewireError(f"the page of the invitation answered {status}")
    form = urlencode({"csrf_token": found[1], "password": made.password})
    status, _, _ = _call(installation.web, "POST", path, form, cookie)
    if status != _MOVED:
        raise CratewireError(f"the invitation was not accepted ({status})")
    return made


def _call(web: str, method: str, path: str, form: str | None = None, cookie: str = "") -> tuple[int, str, str]:
    """Send a request as a browser does; return the status, the page and its cookies."""
    place = urlsplit(web)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=_TIMEOUT_S)
    headers = {"Cookie": cookie, "Referer": f"{web}{path}", "Content-Type": "application/x-www-form-urlencoded"}
    try:
        connection.request(method, path, form, headers if form is not None else {})
        answer = connection.getresponse()
        kept = (value.partition(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie")
        return answer.status, answer.read().decode("utf-8", "replace"), "; ".join(kept)
    except OSError as error:
        raise CratewireError(f"the pages could not be reached: {type(error).__name__}") from error
    finally:
        connection.close()
