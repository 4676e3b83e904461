"""Writes one reply as an RFC 5322 message file, whole or not at all; it sends nothing over a network."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

_DOMAIN = "larkspurandfinch.example"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def file_name(key: str) -> str:
    """Return the name of the file for this key; an unusual key is hashed, so that no path can be smuggled in."""
    stem = key if _PLAIN_NAME.fullmatch(key) else hashlib.sha256(key.encode("utf-8", "backslashreplace")).hexdigest()
    return f"{stem}.eml"


def compose(*, name: str, email: str, subject: str, body: str, key: str, moment: float) -> EmailMessage:
    """Return the message; only our own words and the customer's name and address on file ever become headers.

    Args:
        name: the customer's name on file.
        email: the customer's e-mail address on file.
        subject: one of our own subject lines.
        body: plain text.
        key: what makes the message unique.
        moment: when it is sent, in seconds since the epoch.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = Address("Larkspur & Finch", "help", _DOMAIN)
    message["To"] = Address(name, addr_spec=email)
    message["Subject"] = subject
    message["Date"] = datetime.fromtimestamp(moment, UTC)
    message["Message-ID"] = f"<{file_name(key).removesuffix('.eml')}@{_DOMAIN}>"
    message.set_content(body, cte="quoted-printable")
    return message


def deliver(folder: Path, key: str, message: EmailMessage) -> bool:
    """Put a message into the folder under its key; False if it was already there. Readers never see half a file."""
    target = folder / file_name(key)
    if target.exists():
        return False
    handle, part = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(message.as_bytes())
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    return True
