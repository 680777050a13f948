"""The golden set: briefs in both languages with which every version of a prompt is tried. No Django here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

GOLDEN_FILE: Final = Path(__file__).with_name("golden_briefs.jsonl")


@dataclass(frozen=True)
class GoldenBrief:
    """One kind of customer with what may be said to it. `trap` says, for readers, what a weak draft gets wrong.

    `facts` have the shape that the guard-rails read (shop, offer, products with versions, policies); `truths` are
    sentences of the archetype's card.
    """

    id: str
    language: str
    reason: str
    interest: str
    value_band: str
    truths: Sequence[str]
    facts: Mapping[str, Any]
    goal: str
    tone: str
    avoid: str
    talking_points: str
    instruction: str
    trap: str


@cache
def read_golden_briefs() -> tuple[GoldenBrief, ...]:
    """All briefs, in the order of the file."""
    lines = GOLDEN_FILE.read_text(encoding="utf-8").splitlines()
    return tuple(GoldenBrief(**json.loads(line)) for line in lines if line.strip())


@cache
def hash_golden_briefs() -> str:
    """SHA-256 of the file: figures of different sets are not to be compared."""
    return hashlib.sha256(GOLDEN_FILE.read_bytes()).hexdigest()
