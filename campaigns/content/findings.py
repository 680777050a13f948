"""What a check of a draft says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

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


@dataclass(frozen=True)
class Claim:
    """One thing that a draft claims: `text` of `field`, the fact it was matched with ("" where none is), its version.

    `kind` is percent, money, date, time, code, product, stock, count, policy or link; `is_true` says whether no finding
    blocks it. The version is a short hash of the fact, or the product's own version.
    """

    field: str
    text: str
    kind: str
    fact: str
    version: str
    is_true: bool = True

    def as_json(self) -> dict[str, str | bool]:
        """What Variant.claims keeps."""
        return asdict(self)


@dataclass(frozen=True)
class Review:
    """What was seen in a draft, and what it claims."""

    findings: tuple[Finding, ...]
    claims: tuple[Claim, ...]


def worst_verdict(findings: Iterable[Finding]) -> Verdict:
    """block where one finding blocks, else warn where one warns, else pass."""
    verdicts = {finding.verdict for finding in findings}
    return "block" if "block" in verdicts else "warn" if "warn" in verdicts else "pass"
