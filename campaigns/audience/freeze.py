"""Freezes an audience: the people of the segment at this moment, their arm, and why others are left out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from campaigns.models import Campaign


@dataclass(frozen=True)
class AudienceCounts:
    """How many people the segment matched, and where they went. `excluded` is by ExclusionReason."""

    matched: int
    treatment: int
    holdout: int
    excluded: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """What Campaign.audience_counts keeps."""
        return {
            "matched": self.matched,
            "treatment": self.treatment,
            "holdout": self.holdout,
            "excluded": dict(self.excluded),
        }


class EmptyAudience(Exception):
    """Nobody is left to write to; the text says why and what to do. Nothing was changed."""


def freeze_audience(campaign: Campaign, *, now: dt.datetime, actor: User | None) -> AudienceCounts:
    """Freeze the people who match the campaign's segment at `now`, and split them into archetypes."""
    raise NotImplementedError
