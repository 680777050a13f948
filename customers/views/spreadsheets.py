"""What leaves for a spreadsheet: no cell that it would run, and a line in the audit log."""

from __future__ import annotations

from django.http import HttpRequest

from customers.models import AuditAction, record_audit


class Echo:
    """A file for csv.writer that hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def defuse(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula (OWASP: CSV injection)."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r", "\n"} else text


def record_export(request: HttpRequest, what: str, key: object = "") -> None:
    """Note that this person takes `what` out of here."""
    record_audit(AuditAction.EXPORTED, actor=request.user, about=(what, key))
