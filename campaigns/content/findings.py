"""What a check of a draft says."""

from __future__ import annotations

from collections.abc import Iterable
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


@dataclass(frozen=True)
class Claim:
    """One thing that a draft claims, and the fact that it was matched with.

    `text` of `field` makes it; `kind` is percent, bundle, money, date, time, code, product, stock, count, number, policy or
    point (a talking point in its own words). `fact` is offer, product, policy, campaign (any other fact), or "" where no
    fact bears it out; `key` names the product by its article number, and `says` is what the fact holds. `version` is the
    product's own, the revision of the shop's policies, or a short hash of the offer's terms or of the words of a talking
    point. `bound` says of a claim on the stock what makes it true: "=" or "<" a figure, or few, one, many, none, some.
    `is_true`: no finding blocks it. What of this is asked again before a send: `standing.list_standing`.
    """

    field: str
    text: str
    kind: str
    fact: str = ""
    key: str = ""
    says: str = ""
    version: str = ""
    bound: str = ""
    is_true: bool = True

    def as_json(self) -> dict[str, Any]:
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
