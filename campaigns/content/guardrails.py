"""Checks a draft against the facts: what is false is blocked, what is doubtful is shown. No Django models here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["pass", "warn", "block"]


@dataclass(frozen=True)
class Finding:
    """One thing that was seen in a draft: `excerpt` of `field`, and what is wrong with it in words for staff."""

    code: str
    verdict: Verdict
    field: str
    message: str
    excerpt: str = ""

    def as_json(self) -> dict[str, str]:
        """What Variant.findings keeps."""
        return asdict(self)


def check_draft(facts: Mapping[str, Any], draft: Mapping[str, Any]) -> list[Finding]:
    """All findings of a draft: {subject, preheader, body} or the slots of a Variant."""
    raise NotImplementedError
