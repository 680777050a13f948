"""Splits a frozen audience into kinds of customer: why they are leaving x what they like x language."""

from __future__ import annotations

from campaigns.models import Archetype, Campaign


def split_into_archetypes(campaign: Campaign, *, limit: int) -> list[Archetype]:
    """Give every treated and held-out member one of at most `limit` archetypes."""
    raise NotImplementedError


def label_archetype(archetype: Archetype) -> str:
    """What staff call it, in the active language: "Overdue · Jackets · English"."""
    raise NotImplementedError
