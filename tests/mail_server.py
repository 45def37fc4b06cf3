"""A mail server that answers what it is told to, and keeps what it got."""

import contextlib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

OK = "250 kept"
NAME, PASSWORD = "ada", "open sesame"


@dataclass
class Mails:
    """`answers` are for the next recipients, one each; then it takes them."""

    url: str = ""
    answers: list[str] = field(default_factory=list)
    got: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        answer = self.answers.pop(0) if self.answers else OK
        if answer == OK:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        message: Any = message_from_bytes(envelope.content, policy=policy.default)
        self.got.append(message)
        self.recipients += envelope.rcpt_tos
        return OK


@contextlib.contextmanager
def running_mail_server(tls: ssl.SSLContext | None = None) -> Iterator[Mails]:
    """With `tls` it takes mail after STARTTLS and a password only."""
    mails = Mails()

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        right = LoginPassword(NAME.encode(), PASSWORD.encode())
        return AuthResult(success=data == right, handled=False)

    closed = {"tls_context": tls, "require_starttls": True, "auth_required": True}
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    controller = Controller(
        mails,
        "127.0.0.1",
        port,
        authenticator=check,
        auth_require_tls=tls is not None,
        **(closed if tls else {}),
    )
    controller.start()
    try:
        mails.url = f"smtp://127.0.0.1:{port}"
        yield mails
    finally:
        controller.stop()
