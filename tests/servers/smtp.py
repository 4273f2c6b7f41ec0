"""A mail server on loopback that stores mails, or refuses them as a test demands. It speaks just enough SMTP."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

SAYS = {"EHLO": "250-here\r\n250 8BITMIME", "MAIL": "250 ok", "RCPT": "250 ok", "RSET": "250 ok", "QUIT": "221 bye"}


@dataclass
class MailServer:
    port: int = 0
    says: dict[str, str] = field(default_factory=lambda: dict(SAYS))
    kept: list[tuple[str, EmailMessage]] = field(default_factory=list)  # recipient as the envelope has it

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


@contextmanager
def mail_server() -> Iterator[MailServer]:
    state = MailServer()

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 here")
            recipient = ""
            for line in self.rfile:
                verb, _, rest = line.decode().strip().partition(" ")
                if verb.upper() == "RCPT":
                    recipient = rest.partition("<")[2].partition(">")[0]
                if verb.upper() == "DATA":
                    self._take(recipient)
                else:
                    self._say(state.says.get(verb.upper(), "502 no"))

        def _take(self, recipient: str) -> None:
            self._say("354 go on")
            lines = iter(self.rfile.readline, b".\r\n")
            state.kept.append((recipient, message_from_bytes(b"".join(lines), policy=policy.default)))
            self._say(state.says.get("DATA", "250 taken"))

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        server.daemon_threads = True
        state.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield state
        server.shutdown()
