"""Whether the mail server that took a mail vouches for its sender (RFC 8601, Authentication-Results). Pure.

A sender may write such a field too. So only the topmost field of our own server's name counts: a server that adds its field to
every mail puts it above all that came with the mail. DMARC speaks of the domain in From (RFC 7489, 3.1); without a DMARC
result a DKIM
signature of the same domain does. SPF alone speaks of the envelope, which nobody sees.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

METHODS = ("spf", "dkim", "dmarc")
_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(r"^\s*([a-z][a-z0-9-]*)(?:/\d+)?\s*=\s*([a-z]+)", re.IGNORECASE)
_PROPERTY = re.compile(r"([a-z-]+\.[a-z-]+)\s*=\s*(\"[^\"]*\"|[^\s;]+)", re.IGNORECASE)

#: A quoted word that would be read as more than one: the sender chooses what stands before the @ of an envelope.
_SMUGGLED = re.compile(r'"[^"]*[;()][^"]*"')


@dataclass(frozen=True)
class Verdict:
    """`results`: method to result, such as dmarc to pass. `server`: who says so; "" where the trusted server says nothing."""

    server: str = ""
    results: dict[str, str] = field(default_factory=dict)
    is_proven: bool = False


def read_results(fields: list[tuple[str, str]], *, server: str, sender_domain: str) -> Verdict:
    """What `server` (its authserv-id) says of a mail from `sender_domain`."""
    if not server:
        return Verdict()
    for name, value in fields:
        if name == "authentication-results":
            identity, results = _parse(value)
            if identity == server.strip().lower():
                if _SMUGGLED.search(value):
                    return Verdict(identity)
                return _judge(identity, results, sender_domain)
    return Verdict()


def _judge(server: str, results: list[tuple[str, str, dict[str, str]]], sender_domain: str) -> Verdict:
    told: dict[str, str] = {}
    for method, result, _properties in results:
        if method in METHODS and told.get(method) != "pass":  # one of several signatures that fits is enough
            told[method] = result
    dmarc = [(result, properties) for method, result, properties in results if method == "dmarc"]
    if dmarc:
        is_proven = all(
            result == "pass" and properties.get("header.from", sender_domain) == sender_domain
            for result, properties in dmarc
        )
    else:
        is_proven = any(
            method == "dkim" and result == "pass" and _signed_for(properties, sender_domain)
            for method, result, properties in results
        )
    return Verdict(server, told, is_proven and bool(sender_domain))


def _signed_for(properties: dict[str, str], sender_domain: str) -> bool:
    signer = properties.get("header.d") or properties.get("header.i", "").rpartition("@")[2]
    return bool(signer) and (sender_domain == signer or sender_domain.endswith(f".{signer}")) and "." in signer


def _parse(value: str) -> tuple[str, list[tuple[str, str, dict[str, str]]]]:
    """(authserv-id, [(method, result, properties)]); comments go, however deep."""
    text, before = value, ""
    while text != before:
        before, text = text, _COMMENT.sub(" ", text)
    head, _semicolon, rest = text.partition(";")
    identity = (head.split() or [""])[0].strip('"').lower()
    found = []
    for part in rest.split(";"):
        if match := _RESULT.match(part):
            properties = {key.lower(): told.strip('"').lower().rstrip(".") for key, told in _PROPERTY.findall(part)}
            found.append((match[1].lower(), match[2].lower(), properties))
    return identity, found
