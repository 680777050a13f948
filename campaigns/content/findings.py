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


def worst_verdict(findings: Iterable[Finding]) -> Verdict:
    """block where one finding blocks, else warn where one warns, else pass."""
    verdicts = {finding.verdict for finding in findings}
    return "block" if "block" in verdicts else "warn" if "warn" in verdicts else "pass"
