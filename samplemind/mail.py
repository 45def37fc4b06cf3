"""Sending mail by SMTP."""

from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import aiosmtplib

from samplemind.domain.delivery import NotDelivered
from samplemind.domain.ids import now
from samplemind.settings import Settings


def is_mailable(email: str) -> bool:
    """Whether mail can be sent to what somebody signs in with."""
    try:
        return bool(_address(email))
    except ValueError:
        return False


async def send(
    settings: Settings, email: str, id_: str, subject: str, text: str, headers: dict[str, str]
) -> None:
    """Sends a message once. Raises NotDelivered, for good where the address is refused."""
    message = EmailMessage()
    try:
        message["To"] = _address(email)
    except ValueError as error:
        raise NotDelivered("No mail can be sent to this address.", for_good=True) from error
    message["From"] = settings.mail_from
    message["Subject"] = subject
    # The same at each attempt, so that who gets it twice can see that.
    sender = settings.mail_from.rpartition("@")[2].strip(" >")
    message["Message-ID"] = f"<{id_}@{sender}>"
    message["Date"] = format_datetime(now())
    message["Auto-Submitted"] = "auto-generated"
    for name, value in headers.items():
        message[name] = value
    message.set_content(text)
    try:
        await aiosmtplib.send(
            message,
            recipients=[email],
            timeout=settings.delivery_timeout_seconds,
            **_server(settings.smtp_url),
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        refused = error.recipients[0]
        is_final = 500 <= refused.code < 600
        raise NotDelivered(_said(refused), refused.code, for_good=is_final) from error
    except aiosmtplib.SMTPResponseException as error:
        raise NotDelivered(_said(error), error.code) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise NotDelivered(f"The mail server cannot be spoken with: {error}"[:300]) from error


def _address(email: str) -> Address:
    """Raises ValueError."""
    try:
        return Address(addr_spec=email)
    except (MessageError, IndexError) as error:
        raise ValueError(email) from error


def _server(url: str) -> dict[str, Any]:
    """What a password is sent by is encrypted; without one, where the server can."""
    parts = urlsplit(url)
    tls = parts.scheme == "smtps"
    return {
        "hostname": parts.hostname,
        "port": parts.port or (465 if tls else 587 if parts.username else 25),
        "username": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "use_tls": tls,
        "start_tls": False if tls else True if parts.username else None,
    }


def _said(error: aiosmtplib.SMTPResponseException) -> str:
    return f"The mail server answered {error.code}: {error.message}"[:300]
