"""Looks the shop's sending domain up in DNS and keeps what was found: what is wrong, and the record that would mend it."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from campaigns.content.rendering import RenderedMessage
from campaigns.delivery.mime import Sender, build_content
from campaigns.delivery.unsubscribe import unsubscribe_url
from campaigns.models import DomainCheck

from .dkim import Dkim, read_dkim
from .dmarc import Dmarc, is_aligned, read_dmarc
from .resolver import Resolver
from .spf import MOST_LOOKUPS, Spf, read_spf

Kind, Verdict = DomainCheck.Kind, DomainCheck.Verdict
#: What a provider asks to have in SPF, by the end of its server's name.
PROVIDERS: Final = {
    "amazonses.com": "amazonses.com",
    "amazonaws.com": "amazonses.com",
    "sendgrid.net": "sendgrid.net",
    "mailgun.org": "mailgun.org",
    "postmarkapp.com": "spf.mtasv.net",
    "brevo.com": "spf.brevo.com",
    "mailjet.com": "spf.mailjet.com",
    "sparkpostmail.com": "sparkpostmail.com",
    "google.com": "_spf.google.com",
    "gmail.com": "_spf.google.com",
    "office365.com": "spf.protection.outlook.com",
    "outlook.com": "spf.protection.outlook.com",
}
KEPT_DAYS: Final = 400


@dataclass(frozen=True)
class Finding:
    """One row to be kept. `code` is "" where all is well; `record` is what to publish, `found` what stands there."""

    kind: str
    verdict: str
    code: str = ""
    found: str = ""
    record: str = ""
    values: dict[str, Any] = field(default_factory=dict)


def sending_domain() -> str:
    """The domain of the sender's address."""
    return str(settings.SHOP_FROM_EMAIL).rpartition("@")[2].lower()


def check_domain(now: dt.datetime, resolver: Resolver | None = None) -> list[DomainCheck]:
    """Look everything up and keep it as rows of `now`. Asks DNS first and writes afterwards; old rows are forgotten."""
    domain = sending_domain()
    found = examine_domain(domain, resolver or Resolver(settings.DNS_RESOLVER, timeout_s=settings.DNS_TIMEOUT_S))
    with transaction.atomic():
        rows = DomainCheck.objects.bulk_create(
            [
                DomainCheck(
                    domain=domain,
                    kind=each.kind,
                    verdict=each.verdict,
                    code=each.code,
                    details={"found": each.found, "record": each.record, **each.values},
                    checked_at=now,
                )
                for each in found
            ]
        )
        DomainCheck.objects.filter(checked_at__lt=now - dt.timedelta(days=KEPT_DAYS)).delete()
    return rows


def examine_domain(domain: str, resolver: Resolver) -> list[Finding]:
    """Everything that is known of a domain now; nothing is written."""
    spf, dmarc = read_spf(domain, resolver), read_dmarc(domain, resolver)
    signed_by = settings.DKIM_DOMAIN or domain
    dkim = read_dkim(signed_by, settings.DKIM_SELECTOR, resolver)
    relay = [] if settings.USES_MAIL_CATCHER else list(resolver.read_addresses(settings.EMAIL_HOST).values)
    return [
        _judge_alignment(domain, signed_by, spf, dkim, dmarc, resolver),
        _judge_dmarc(domain, dmarc),
        _judge_spf(domain, spf, relay),
        _judge_dkim(dkim, signed_by),
        _judge_mx(domain, resolver),
        _judge_one_click(),
        _judge_reverse(relay, resolver),
    ]


def _judge_alignment(domain: str, signed_by: str, spf: Spf, dkim: Dkim, dmarc: Dmarc, resolver: Resolver) -> Finding:
    """Messages leave with the sender's own domain as the envelope's, so a usable SPF record is an aligned one."""
    if "unanswered" in (spf.fault, dkim.fault, dmarc.fault):
        return Finding(Kind.ALIGNMENT, Verdict.UNKNOWN, "unanswered")
    if dmarc.fault:
        return Finding(Kind.ALIGNMENT, Verdict.FAIL, "no_policy", record=_propose_dmarc(domain))
    by_key = not dkim.fault and is_aligned(signed_by, domain, dmarc.tags.get("adkim", "r"), resolver)
    told = {"signed_by": signed_by}
    if not dkim.fault and not by_key and not spf.is_usable:
        return Finding(Kind.ALIGNMENT, Verdict.FAIL, "other_domain", values=told)
    if not by_key and not spf.is_usable:
        return Finding(Kind.ALIGNMENT, Verdict.FAIL, "nothing_aligned")
    if not by_key:
        return Finding(Kind.ALIGNMENT, Verdict.WARN, "spf_only", values=told)
    return Finding(Kind.ALIGNMENT, Verdict.OK if spf.is_usable else Verdict.WARN, "" if spf.is_usable else "dkim_only")


def _judge_dmarc(domain: str, dmarc: Dmarc) -> Finding:
    proposed = _propose_dmarc(domain)
    if dmarc.fault:
        verdict = Verdict.UNKNOWN if dmarc.fault == "unanswered" else Verdict.FAIL
        return Finding(Kind.DMARC, verdict, dmarc.fault, dmarc.record, proposed)
    if dmarc.policy == "none":
        return Finding(Kind.DMARC, Verdict.WARN, "policy_none", dmarc.record, proposed)
    if "rua" not in dmarc.tags:
        return Finding(Kind.DMARC, Verdict.WARN, "no_reports", dmarc.record, proposed)
    return Finding(Kind.DMARC, Verdict.OK, found=dmarc.record)


def _judge_spf(domain: str, spf: Spf, relay: Sequence[str]) -> Finding:
    told: dict[str, Any] = {"lookups": spf.lookups, "most": MOST_LOOKUPS, "at": spf.broken_at}
    proposed = _propose_spf(domain, relay)
    if spf.fault:
        verdict = Verdict.UNKNOWN if spf.fault == "unanswered" else Verdict.FAIL
        return Finding(Kind.SPF, verdict, spf.fault, spf.record, proposed, told)
    if spf.all == "+":
        return Finding(Kind.SPF, Verdict.FAIL, "everybody", spf.record, proposed, told)
    if spf.all in ("", "?"):
        return Finding(Kind.SPF, Verdict.WARN, "open_end", spf.record, proposed, told)
    if spf.uses_ptr:
        return Finding(Kind.SPF, Verdict.WARN, "uses_ptr", spf.record, proposed, told)
    if relay and not any(spf.permits(address) for address in relay):
        return Finding(Kind.SPF, Verdict.WARN, "server_not_named", spf.record, proposed, told)
    return Finding(Kind.SPF, Verdict.OK, found=spf.record, values=told)


def _judge_dkim(dkim: Dkim, signed_by: str) -> Finding:
    record = f'{dkim.name or f"<selector>._domainkey.{signed_by}"}. TXT "v=DKIM1; k=rsa; p=<key of your mail server>"'
    if dkim.fault:
        unsure = dkim.fault in ("unanswered", "no_selector")
        return Finding(Kind.DKIM, Verdict.UNKNOWN if unsure else Verdict.FAIL, dkim.fault, dkim.record, record)
    if dkim.is_testing or dkim.is_weak:
        return Finding(Kind.DKIM, Verdict.WARN, "testing" if dkim.is_testing else "weak", dkim.record, record)
    return Finding(Kind.DKIM, Verdict.OK, found=dkim.record)


def _judge_mx(domain: str, resolver: Resolver) -> Finding:
    answer = resolver.read_mail_servers(domain)
    if answer.status == "failed":
        return Finding(Kind.MX, Verdict.UNKNOWN, "unanswered")
    record = f"{domain}. MX 10 <your mail server>."
    if answer.values == ("",):
        return Finding(Kind.MX, Verdict.FAIL, "null", ".", record)
    if answer.values:
        return Finding(Kind.MX, Verdict.OK, found=", ".join(answer.values))
    has_address = resolver.read_addresses(domain).status == "found"
    return Finding(Kind.MX, Verdict.WARN if has_address else Verdict.FAIL, "missing", record=record)


def _judge_one_click() -> Finding:
    """Not of DNS: the headers of a message as it is made now, and whether its address is one that providers call (https)."""
    sender, link = Sender(settings.SHOP_NAME, settings.SHOP_FROM_EMAIL), unsubscribe_url(1, 1)
    content = build_content(
        RenderedMessage("x", "", "", ""), sender=sender, recipient="x@example.com", message_id="<x@example.com>",
        unsubscribe_url=link, sent_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )  # fmt: skip
    made = message_from_bytes(content)
    if made["List-Unsubscribe"] != f"<{link}>" or made["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click":
        return Finding(Kind.ONE_CLICK, Verdict.FAIL, "no_header")
    parts = urlsplit(settings.SITE_URL)
    if parts.scheme != "https":
        return Finding(Kind.ONE_CLICK, Verdict.FAIL, "not_https", settings.SITE_URL)
    return Finding(Kind.ONE_CLICK, Verdict.OK, found=f"{parts.scheme}://{parts.netloc}")


def _judge_reverse(relay: Sequence[str], resolver: Resolver) -> Finding:
    """Of the server that takes our mail; it may hand it on by another address, which only its operator knows."""
    public = [address for address in relay if ipaddress.ip_address(address).is_global][:3]
    if not public:
        return Finding(Kind.REVERSE, Verdict.UNKNOWN, "no_server")
    for address in public:
        names = resolver.read_names(address)
        if names.status == "failed":
            return Finding(Kind.REVERSE, Verdict.UNKNOWN, "unanswered", address)
        if not any(address in resolver.read_addresses(name).values for name in names.values):
            return Finding(Kind.REVERSE, Verdict.WARN, "no_name", f"{address} {', '.join(names.values)}".strip())
    return Finding(Kind.REVERSE, Verdict.OK, found=", ".join(public))


def _propose_dmarc(domain: str) -> str:
    return f'_dmarc.{domain}. TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@{domain}"'


def _propose_spf(domain: str, relay: Sequence[str]) -> str:
    host = "" if settings.USES_MAIL_CATCHER else str(settings.EMAIL_HOST).lower()
    include = next((value for end, value in PROVIDERS.items() if host == end or host.endswith(f".{end}")), "")
    servers = [f"ip{ipaddress.ip_address(address).version}:{address}" for address in relay[:4]]
    named = f"include:{include}" if include else " ".join(servers) or "include:<your mail provider>"
    return f'{domain}. TXT "v=spf1 {named} -all"'
