"""Keeps the files of a mail, within limits, and says of each one that is not kept why. No model ever reads one."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db import transaction

from customers.models.kept_files import remove_files, write_file
from support.models import Attachment, Refusal, TicketMessage

from .bodies import SentFile
from .kinds import find_kind

#: More than this are not even named: a mail may have hundreds.
MOST_NAMED = 40


def keep_files(message: TicketMessage, files: Sequence[SentFile], *, is_cut: bool) -> None:
    """Write the files and their rows; in the caller's transaction. What a rollback leaves is removed as a stray."""
    rows: list[Attachment] = []
    for position, file in enumerate(files[:MOST_NAMED]):
        kept = sum(not row.refusal for row in rows)
        room = settings.ATTACHMENTS_MB * 1024 * 1024 - sum(row.size for row in rows if not row.refusal)
        rows.append(_make_row(message, position, file, is_cut=is_cut, kept=kept, room=room))
    Attachment.objects.bulk_create(rows)


def _make_row(
    message: TicketMessage, position: int, file: SentFile, *, is_cut: bool, kept: int, room: int
) -> Attachment:
    row = Attachment(message=message, position=position, name=file.name, size=len(file.content))
    row.refusal = _find_limit(file, is_cut=is_cut, kept=kept, room=room)
    if not row.refusal:
        kind = find_kind(file.content)
        row.content_type, row.ending, row.refusal = kind.content_type, kind.ending, Refusal(kind.refusal)
    if not row.refusal:
        row.stored_as = write_file(file.content)
    return row


def _find_limit(file: SentFile, *, is_cut: bool, kept: int, room: int) -> Refusal:
    if is_cut:
        return Refusal.MAIL_CUT
    if not file.content:
        return Refusal.EMPTY
    if kept >= settings.ATTACHMENTS_PER_MAIL:
        return Refusal.TOO_MANY
    if len(file.content) > min(room, settings.ATTACHMENT_MB * 1024 * 1024):
        return Refusal.TOO_LARGE
    return Refusal.NONE


@transaction.atomic
def forget_files(rows: Sequence[Attachment]) -> None:
    """Delete what is kept of them once this is committed; their rows stay and say so."""
    names = [row.stored_as for row in rows if row.stored_as]
    Attachment.objects.filter(pk__in=[row.pk for row in rows]).update(stored_as="", refusal=Refusal.FORGOTTEN)
    transaction.on_commit(lambda: remove_files(names))
