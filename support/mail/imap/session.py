"""A connection to the mailbox: over TLS or not at all, with a limit to every wait, and errors that staff can mend.

imaplib of the standard library. What the server says is never shown or logged: it may repeat what it was told.
"""

from __future__ import annotations

import datetime as dt
import imaplib
import re
import ssl
import time
from types import TracebackType

from support.models import Trouble

from .target import ImapTarget

_UID = re.compile(rb"\bUID (\d+)\b")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)\b")
_DATE = re.compile(rb'\bINTERNALDATE "([^"]+)"')
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class MailboxTrouble(Exception):
    """The mailbox could not be read; `trouble` says why, for the page."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


class MailboxSession:
    """One log-in with the folder chosen. `uid_validity`: the numbers of mails mean the same while it is the same."""

    def __init__(self, target: ImapTarget, *, timeout_s: float) -> None:
        self._target = target
        self._timeout_s = timeout_s
        self.uid_validity = 0
        self.uid_next = 0

    def __enter__(self) -> MailboxSession:
        self._imap = self._connect()
        try:
            self._log_in()
            self._choose()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._leave()

    def list_uids(self, above: int, since: dt.date) -> list[int]:
        """The numbers above one, upwards, of mails that came on `since` or later."""
        found = self._ask("SEARCH", None, f"UID {above + 1}:* SINCE {_name_day(since)}")
        numbers = [int(number) for line in found if isinstance(line, bytes) for number in line.split()]
        return sorted(
            number for number in numbers if number > above
        )  # n:* names the last mail also where it is below n

    def look(self, uid: int) -> tuple[int, dt.datetime | None]:
        """(size in bytes, when the server received it); (0, None) for one that is gone."""
        answer = self._ask("FETCH", uid, "(UID RFC822.SIZE INTERNALDATE)")
        line = b" ".join(part if isinstance(part, bytes) else part[0] for part in answer if part)
        size, date = _SIZE.search(line), _DATE.search(line)
        return (int(size[1]) if size else 0), _read_date(date[1] if date else b"")

    def fetch(self, uid: int, most: int) -> bytes | None:
        """The mail's first `most` bytes, without marking it as read; None for one that is gone."""
        for part in self._ask("FETCH", uid, f"(UID BODY.PEEK[]<0.{most}>)"):
            if isinstance(part, tuple):
                named = _UID.search(part[0])
                if named is None or int(named[1]) == uid:
                    return part[1]
        return None

    def mark(self, uids: list[int]) -> None:
        """Say of mails that they were dealt with: move them, where a folder for it is named and the server can; else
        mark them as read."""
        if not uids:
            return
        names = ",".join(map(str, uids))
        folder = self._target.done_folder
        self._ask("STORE", names, "+FLAGS.SILENT (\\Seen)")
        if folder and "MOVE" in self._imap.capabilities:
            self._ask("MOVE", names, _quote(folder))

    def _connect(self) -> imaplib.IMAP4:
        target = self._target
        try:
            context = ssl.create_default_context()
            if target.ca_file:
                context.load_verify_locations(target.ca_file)
            if not target.starts_plain:
                return imaplib.IMAP4_SSL(target.host, target.port, ssl_context=context, timeout=self._timeout_s)
            plain = imaplib.IMAP4(target.host, target.port, timeout=self._timeout_s)
            plain.starttls(context)
            return plain
        except ssl.SSLError:
            raise MailboxTrouble(Trouble.NOT_PRIVATE) from None
        except OSError:
            raise MailboxTrouble(Trouble.UNREACHABLE) from None
        except imaplib.IMAP4.error:  # no STARTTLS: nothing goes out in the clear
            raise MailboxTrouble(Trouble.NOT_PRIVATE if target.starts_plain else Trouble.BROKE_OFF) from None

    def _log_in(self) -> None:
        try:
            self._imap.login(self._target.user, self._target.password)
        except imaplib.IMAP4.abort:
            raise MailboxTrouble(Trouble.BROKE_OFF) from None
        except (imaplib.IMAP4.error, UnicodeEncodeError):
            raise MailboxTrouble(Trouble.LOGIN) from None  # its text may hold what was sent
        except (OSError, ssl.SSLError):
            raise MailboxTrouble(Trouble.BROKE_OFF) from None

    def _choose(self) -> None:
        try:
            status, _count = self._imap.select(_quote(self._target.folder))
            validity, following = self._imap.response("UIDVALIDITY")[1], self._imap.response("UIDNEXT")[1]
        except (imaplib.IMAP4.error, OSError):
            raise MailboxTrouble(Trouble.BROKE_OFF) from None
        if status != "OK":
            raise MailboxTrouble(Trouble.NO_FOLDER)
        self.uid_validity, self.uid_next = _first_number(validity), _first_number(following)
        if not self.uid_validity:
            raise MailboxTrouble(Trouble.BROKE_OFF)

    def _ask(self, command: str, uid: int | str | None, words: str) -> list[bytes | tuple[bytes, bytes]]:
        try:
            status, answer = self._imap.uid(command, *([] if uid is None else [str(uid)]), words)
        except (imaplib.IMAP4.error, OSError, ValueError):
            raise MailboxTrouble(Trouble.BROKE_OFF) from None
        if status != "OK":
            raise MailboxTrouble(Trouble.BROKE_OFF)
        return answer

    def _leave(self) -> None:
        try:
            self._imap.logout()
        except (imaplib.IMAP4.error, OSError, ValueError):
            self._imap.shutdown()


def _first_number(answer: list[bytes | None]) -> int:
    first = next((value for value in answer or [] if value), b"")
    return int(first) if first.isdigit() else 0


def _name_day(day: dt.date) -> str:
    """1-Feb-2026, as RFC 3501 writes days: in English, whatever the machine speaks."""
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"


def _quote(folder: str) -> str:
    """A name with signs of its own in quotes; other alphabets in modified UTF-7 (RFC 3501, 5.1.3) are the operator's to write."""
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _read_date(raw: bytes) -> dt.datetime | None:
    moment = imaplib.Internaldate2tuple(b'INTERNALDATE "' + raw + b'"') if raw else None
    return dt.datetime.fromtimestamp(time.mktime(moment), dt.UTC) if moment else None
