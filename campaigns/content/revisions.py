"""Saves a revision of the shop's voice or policies: the newest counts, and of two people who save at once one is told."""

from __future__ import annotations

from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from campaigns.models import BrandVoice, ShopPolicies, TransitionConflict

Revision = TypeVar("Revision", BrandVoice, ShopPolicies)


def read_newest(model: type[Revision]) -> Revision | None:
    """The revision that counts; None before the first. Drafting reads it too, whose database role may not know who works
    here: the person is asked for only where a page shows them."""
    return model.objects.order_by("-number").first()


def add_revision(model: type[Revision], *, base: int, **fields: Any) -> Revision:
    """Save a revision after number `base`, which is the one that its writer saw (0: none).

    Raises ValidationError where its texts are those of the newest, and TransitionConflict where somebody has saved
    another meanwhile: nothing is overwritten unseen.
    """
    newest = read_newest(model)
    if newest is not None and newest.texts == fields["texts"]:
        raise ValidationError(_("Nothing was changed: v%(number)d says the same.") % {"number": newest.number})
    if base != (newest.number if newest is not None else 0):
        raise TransitionConflict(_describe_conflict(newest))
    try:
        with transaction.atomic():
            return model.objects.create(number=base + 1, **fields)
    except IntegrityError as error:
        raise TransitionConflict(_describe_conflict(read_newest(model))) from error


def _describe_conflict(newest: BrandVoice | ShopPolicies | None) -> str:
    if newest is None:
        return _("There is no such version. Reload the page and look again.")
    name = newest.saved_by.get_full_name() or newest.saved_by.get_username()
    sentence = _(
        "%(name)s saved v%(number)d meanwhile. Compare it with yours, then save again: yours then comes after it."
    )
    return sentence % {"name": name, "number": newest.number}
