"""Which addresses may be spoken to: those of the open net, and nothing inside the house. Pure; read by the settings too."""

from __future__ import annotations

import enum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

#: IPv4 behind IPv6 where a gateway translates (RFC 6052): the last 32 bits are the machine that is really reached.
_TRANSLATED = IPv6Network("64:ff9b::/96")
_INNER_NAMES = (".local", ".internal", ".localhost", ".lan", ".home.arpa")


class AddressFault(enum.Enum):
    """Why an address must not be used."""

    NO_ADDRESS = "it is https://host/path, without a log-in and without #"
    NOT_TLS = "it has to start with https://"
    LOOPBACK = "it leads to this machine itself"
    INTERNAL = "it leads into an internal network"


def find_fault(url: str, *, may_be_loopback: bool) -> AddressFault | None:
    """What is wrong with an address as it is written. Where its name leads is looked at when it is connected to."""
    try:
        parts = urlsplit(url)
        host, _port = (parts.hostname or "").lower().rstrip("."), parts.port
    except ValueError:
        return AddressFault.NO_ADDRESS
    if parts.username or parts.password or parts.fragment or not host or any(sign.isspace() for sign in url):
        return AddressFault.NO_ADDRESS
    is_loopback = is_loopback_host(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback and may_be_loopback):
        return AddressFault.NOT_TLS
    if is_loopback and not may_be_loopback:
        return AddressFault.LOOPBACK
    return AddressFault.INTERNAL if is_internal_host(host) and not is_loopback else None


def is_loopback_host(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_internal_host(host: str) -> bool:
    """A name without a dot or of an inner domain, or a number that is not of the open net; also written as one figure."""
    try:
        return not is_open(host)
    except ValueError:
        last = host.rpartition(".")[2]
        return "." not in host or host.endswith(_INNER_NAMES) or last.isdecimal() or last.startswith("0x")


def is_open(address: str, *, may_be_loopback: bool = False) -> bool:
    """Whether a numeric address is a machine of the open net, whatever form of IPv6 it wears. Raises ValueError."""
    found = _unwrap(ip_address(address.partition("%")[0]))
    if found.is_loopback:
        return may_be_loopback
    return found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified)


def _unwrap(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 machine that an IPv6 address stands for: mapped, 6to4, or translated by a gateway."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
