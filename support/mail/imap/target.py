"""Where the mailbox is, read from SUPPORT_IMAP_URL. Pure: read by the settings.

imaps://help%40shop.example:PASSWORD@imap.shop.example/INBOX        TLS from the first byte, port 993
imap://…@imap.shop.example/INBOX                                    STARTTLS before the password, port 143
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit


class BadImapUrl(ValueError):
    """An address that cannot be read; the sentence is for staff and holds no password."""


@dataclass(frozen=True)
class ImapTarget:
    """One mailbox. `ca_file`: whom to trust besides the system. `done_folder`: where mail goes that was taken in; ""
    marks it as read."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    starts_plain: bool = False
    ca_file: str = ""
    done_folder: str = ""

    @property
    def name(self) -> str:
        """The mailbox's name in the database: another server, user or folder has another history."""
        return hashlib.sha256(f"{self.host}\0{self.user}\0{self.folder}".encode()).hexdigest()


def read_imap_url(url: str) -> ImapTarget:
    """Raises BadImapUrl."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadImapUrl(
            "SUPPORT_IMAP_URL cannot be read: write signs such as @ and / in user and password as %40 and %2F."
        ) from None
    options = dict(parse_qsl(parts.query))
    if parts.scheme not in {"imap", "imaps"} or not parts.hostname:
        raise BadImapUrl("SUPPORT_IMAP_URL must look like imaps://user:password@imap.shop.example/INBOX.")
    if not parts.username or not parts.password:
        raise BadImapUrl("SUPPORT_IMAP_URL lacks the user or the password.")
    if strange := set(options) - {"ca", "done"}:
        raise BadImapUrl(f"SUPPORT_IMAP_URL has options that are not known: {', '.join(sorted(strange))}.")
    is_plain = parts.scheme == "imap"
    return ImapTarget(
        host=parts.hostname,
        port=port or (143 if is_plain else 993),
        user=unquote(parts.username),
        password=unquote(parts.password),
        folder=unquote(parts.path.strip("/")) or "INBOX",
        starts_plain=is_plain,
        ca_file=options.get("ca", ""),
        done_folder=options.get("done", ""),
    )
