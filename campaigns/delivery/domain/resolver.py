"""Asks DNS, within a time for one question and a time for all of them. Every answer is found, none, or failed with why."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import dns.exception
import dns.name
import dns.resolver
import dns.reversename

#: All questions of one check together; after that the rest counts as unanswered.
ALL_S: Final = 20.0


@dataclass(frozen=True)
class Answer:
    """`values` are empty unless `status` is "found"; "failed" is a time-out, a broken server or a name that cannot be asked."""

    status: Literal["found", "none", "failed"]
    values: tuple[str, ...] = ()


class Resolver:
    """One check's view of DNS: the same question twice is asked once."""

    def __init__(self, address: str = "", *, timeout_s: float = 3.0, all_s: float = ALL_S) -> None:
        """`address` is the resolver to ask, "host" or "host:port"; "" is the one of the system."""
        self._resolver = dns.resolver.Resolver(configure=not address)
        if address:
            host, _colon, port = address.rpartition(":") if address.count(":") == 1 else (address, "", "")
            self._resolver.nameservers, self._resolver.port = [host], int(port or 53)
        self._resolver.timeout = self._resolver.lifetime = timeout_s
        self._until = time.monotonic() + all_s
        self._known: dict[tuple[str, str], Answer] = {}

    def read_texts(self, name: str) -> Answer:
        """TXT records, the parts of each joined (RFC 7208, 3.3)."""
        return self._ask(name, "TXT", lambda row: b"".join(row.strings).decode("utf-8", "replace"))

    def read_mail_servers(self, name: str) -> Answer:
        """MX hosts without the final dot; "" is the null MX (RFC 7505)."""
        return self._ask(name, "MX", lambda row: row.exchange.to_text(omit_final_dot=True).rstrip("."))

    def read_addresses(self, name: str) -> Answer:
        """IPv4 and IPv6 addresses."""
        four = self._ask(name, "A", lambda row: str(row.address))
        six = self._ask(name, "AAAA", lambda row: str(row.address))
        if four.values or six.values:
            return Answer("found", four.values + six.values)
        return Answer("failed") if "failed" in (four.status, six.status) else Answer("none")

    def read_names(self, address: str) -> Answer:
        """What an address is called (PTR)."""
        try:
            name = dns.reversename.from_address(address).to_text()
        except dns.exception.SyntaxError:
            return Answer("failed")
        return self._ask(name, "PTR", lambda row: row.target.to_text(omit_final_dot=True))

    def _ask(self, name: str, kind: str, read: Callable[[Any], str]) -> Answer:
        key = (name.lower().rstrip("."), kind)
        if key not in self._known:
            self._known[key] = self._look_up(name, kind, read)
        return self._known[key]

    def _look_up(self, name: str, kind: str, read: Callable[[Any], str]) -> Answer:
        if time.monotonic() > self._until:
            return Answer("failed")
        try:
            found = self._resolver.resolve(name, kind, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return Answer("none")
        except (dns.exception.DNSException, OSError, ValueError):  # a time-out, SERVFAIL, a label over 63 characters
            return Answer("failed")
        return Answer("found", tuple(sorted(read(row) for row in found)))
