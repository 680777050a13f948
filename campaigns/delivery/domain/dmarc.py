"""DMARC: the policy of a domain, its organisational domain by walking up the tree of names (as the revised standard does,
without a list of public suffixes), and whether another domain is aligned with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from .resolver import Resolver

POLICIES: Final = frozenset({"none", "quarantine", "reject"})
MOST_STEPS: Final = 8


@dataclass(frozen=True)
class Dmarc:
    """`fault` is "" for a record that receivers obey: missing, unanswered, two_records, syntax. `policy` is the one that
    applies to the domain asked about."""

    record: str = ""
    at: str = ""
    fault: str = ""
    policy: str = ""
    tags: dict[str, str] = field(default_factory=dict)


def read_dmarc(domain: str, resolver: Resolver) -> Dmarc:
    """The policy that applies to mail from `domain`: its own record, or the nearest one above it."""
    for place in _climb(domain):
        answer = resolver.read_texts(f"_dmarc.{place}")
        if answer.status == "failed":
            return Dmarc(at=place, fault="unanswered")
        records = [text for text in answer.values if _parse_tags(text).get("v") == "DMARC1"]
        if len(records) > 1:
            return Dmarc(" / ".join(records), place, "two_records")
        if records:
            return _judge(records[0], place, is_own=place == domain)
    return Dmarc(fault="missing")


def find_organisation(domain: str, resolver: Resolver) -> str:
    """The domain that stands for all names below it: the highest with a record, or what a record's psd tag says."""
    found = domain
    below = domain
    for place in _climb(domain):
        texts = resolver.read_texts(f"_dmarc.{place}").values
        tags = next((tags for tags in map(_parse_tags, texts) if tags.get("v") == "DMARC1"), None)
        if tags is not None:
            if tags.get("psd") == "n":
                return place
            if tags.get("psd") == "y":
                return below
            found = place
        below = place
    return found


def is_aligned(domain: str, sender_domain: str, mode: str, resolver: Resolver) -> bool:
    """Whether `domain` speaks for `sender_domain`: the same name, or (mode other than "s") of the same organisation."""
    if domain.lower() == sender_domain.lower():
        return True
    return mode != "s" and find_organisation(domain, resolver) == find_organisation(sender_domain, resolver)


def _climb(domain: str) -> list[str]:
    """The domain and those above it; of a long name only the last seven labels are asked, beside the whole of it."""
    labels = domain.lower().rstrip(".").split(".")
    parents = [".".join(labels[start:]) for start in range(1, len(labels))]
    return [".".join(labels), *parents[max(0, len(parents) - MOST_STEPS + 1) :]]


def _judge(record: str, place: str, *, is_own: bool) -> Dmarc:
    tags = _parse_tags(record)
    policy = tags.get("p", "").lower()
    if not is_own:
        policy = tags.get("sp", policy).lower()
    if policy not in POLICIES:
        return Dmarc(record, place, "syntax", tags=tags)
    return Dmarc(record, place, "", policy, tags)


def _parse_tags(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, _equals, value in pairs if name.strip()}
