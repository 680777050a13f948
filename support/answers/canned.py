"""Canned answers: texts that are written once and used often, kept by those who answer."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import AuditAction, record_audit
from support.inbox.opening import clean_text
from support.models import CannedAnswer

from .slots import find_unknown_slots

LANGUAGES: Final = ("en", "zh")
LONGEST_TEXT: Final = 5_000


@transaction.atomic
def save_canned(user: User, name: str, language: str, text: str, *, canned: CannedAnswer | None = None) -> CannedAnswer:
    """A new one, or another text of one. Raises ValidationError for a name that is taken, no text, an unknown slot."""
    _require(user, "support.change_cannedanswer" if canned else "support.add_cannedanswer")
    kept = canned or CannedAnswer()
    kept.name, kept.language = " ".join(name.split()), language
    kept.text = clean_text(text)[:LONGEST_TEXT]
    if language not in LANGUAGES:
        raise ValidationError(_("Choose the language."))
    if unknown := find_unknown_slots(kept.text):
        raise ValidationError(_("There is no such slot: %(slots)s") % {"slots": ", ".join(unknown)})
    kept.full_clean()
    kept.save()
    record_audit(AuditAction.CANNED_SAVED, actor=user, about=("canned_answer", kept.pk))
    return kept


@transaction.atomic
def remove_canned(user: User, canned: CannedAnswer) -> None:
    """Take one away; answers that began with it stay as they are."""
    _require(user, "support.change_cannedanswer")
    record_audit(AuditAction.CANNED_REMOVED, actor=user, about=("canned_answer", canned.pk))
    canned.delete()


def _require(user: User, right: str) -> None:
    if not user.has_perm(right):
        raise PermissionDenied(_("Your role does not allow this."))
