"""What shows that a language model proposed a rule, from the proposal until a person saves it.

A proposal is not kept: it travels through the page, signed, and the revision that a person saves of it says who wrote it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from django.core import signing

_SALT: Final = "customers.segments.proposed"
#: A proposal that somebody left lying for longer is taken for their own rule.
_LASTS_S: Final = 30 * 86400


@dataclass(frozen=True)
class ProposedBy:
    """The model that proposed a rule, by which prompt and call (as in the ledger), and whether the person changed the rule
    before they saved it."""

    model: str
    prompt: str
    call: str
    is_changed: bool = False


def sign_proposal(tree: dict[str, Any], by: ProposedBy) -> str:
    """What travels with a proposed rule."""
    said = {"model": by.model, "prompt": by.prompt, "call": by.call, "rule": _hash(tree)}
    return signing.dumps(said, salt=_SALT, compress=True)


def read_proposal(token: str, tree: dict[str, Any]) -> ProposedBy | None:
    """Who proposed the rule that is saved as `tree`; None without a proposal, or with one that is forged or too old."""
    if not token:
        return None
    try:
        said = signing.loads(token, salt=_SALT, max_age=_LASTS_S)
    except signing.BadSignature:
        return None
    return ProposedBy(said["model"], said["prompt"], said["call"], said["rule"] != _hash(tree))


def _hash(tree: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(tree, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]
