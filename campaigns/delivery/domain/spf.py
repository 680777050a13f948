"""SPF (RFC 7208): which servers may send for a domain, and what is wrong with how that is said."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Final

from .resolver import Resolver

MOST_LOOKUPS: Final = 10
MOST_VOID: Final = 2
_ASKS: Final = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass
class Spf:
    """What was read. `fault` is "" for a record that receivers can use: missing, unanswered, two_records, too_many_lookups,
    syntax, include_broken. `all` is the qualifier of `all` ("" where there is none)."""

    record: str = ""
    fault: str = ""
    all: str = ""
    lookups: int = 0
    void: int = 0
    uses_ptr: bool = False
    broken_at: str = ""
    networks: list[Network] = field(default_factory=list)

    @property
    def is_usable(self) -> bool:
        return not self.fault

    def permits(self, address: str) -> bool:
        """Whether the address is in one of the networks that were named."""
        wanted = ipaddress.ip_address(address)
        return any(wanted in network for network in self.networks if network.version == wanted.version)


def read_spf(domain: str, resolver: Resolver) -> Spf:
    """The record of a domain with all that it includes, counted as a receiver counts."""
    spf = Spf()
    record, fault = _find_record(domain, resolver)
    spf.record, spf.fault = record, fault
    if not fault:
        _walk(domain, record, resolver, spf, is_top=True)
    if not spf.fault and (spf.lookups > MOST_LOOKUPS or spf.void > MOST_VOID):
        spf.fault = "too_many_lookups"
    return spf


def _find_record(domain: str, resolver: Resolver) -> tuple[str, str]:
    answer = resolver.read_texts(domain)
    if answer.status == "failed":
        return "", "unanswered"
    records = [text for text in answer.values if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]
    if not records:
        return "", "missing"
    return (records[0], "") if len(records) == 1 else (" / ".join(records), "two_records")


def _walk(domain: str, record: str, resolver: Resolver, spf: Spf, *, is_top: bool) -> None:
    redirect = ""
    for term in record.split()[1:]:
        if spf.fault or spf.lookups > MOST_LOOKUPS:
            return  # as a receiver does: the rest is never looked at
        name, _equals, value = term.partition("=")
        if _equals and name.isalpha():
            redirect = value if name.lower() == "redirect" else redirect
            continue
        _follow(domain, term, resolver, spf, is_top=is_top)
    if redirect and not (is_top and spf.all):
        _include(redirect, resolver, spf, is_top=is_top)


def _follow(domain: str, term: str, resolver: Resolver, spf: Spf, *, is_top: bool) -> None:
    qualifier, mechanism = (term[0], term[1:]) if term[0] in "+-~?" else ("+", term)
    name, _colon, value = mechanism.partition(":")
    name, _slash, width = name.lower().partition("/")
    if name == "all":
        spf.all = qualifier if is_top else spf.all
    elif name in ("ip4", "ip6"):
        _add_network(value, term, spf)
    elif name == "include":
        _include(value, resolver, spf, is_top=False)
    elif name in _ASKS:
        spf.lookups += 1
        spf.uses_ptr = spf.uses_ptr or name == "ptr"
        if name in ("a", "mx"):
            target, _slash, length = value.partition("/")
            _add_hosts(name, target or domain, width or length, resolver, spf)
    else:
        spf.fault, spf.broken_at = "syntax", term


def _include(domain: str, resolver: Resolver, spf: Spf, *, is_top: bool) -> None:
    spf.lookups += 1
    if "%" in domain or spf.lookups > MOST_LOOKUPS:
        return  # a macro depends on the message
    record, fault = _find_record(domain, resolver)
    if fault:
        spf.fault, spf.broken_at = ("unanswered" if fault == "unanswered" else "include_broken"), domain
        return
    _walk(domain, record, resolver, spf, is_top=is_top)


def _add_network(value: str, term: str, spf: Spf) -> None:
    try:
        spf.networks.append(ipaddress.ip_network(value, strict=False))
    except ValueError:
        spf.fault, spf.broken_at = "syntax", term


def _add_hosts(kind: str, target: str, width: str, resolver: Resolver, spf: Spf) -> None:
    if "%" in target:
        return
    hosts = resolver.read_mail_servers(target).values[:10] if kind == "mx" else (target,)
    found = [address for host in hosts if host for address in resolver.read_addresses(host).values]
    spf.void += not found
    for address in found:
        length = width if width.isdecimal() and ":" not in address else ""
        spf.networks.append(ipaddress.ip_network(f"{address}/{length}" if length else address, strict=False))
