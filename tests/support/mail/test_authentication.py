"""Who vouches for a sender: our own server, in its topmost field, for the domain in From. Nobody else's word counts."""

from __future__ import annotations

import pytest

from support.mail.authentication import Verdict, read_results

SERVER = "mx.tarnside.test"


def judge(*values: str, domain: str = "shopper.test", server: str = SERVER) -> Verdict:
    return read_results([("authentication-results", value) for value in values], server=server, sender_domain=domain)


@pytest.mark.parametrize(
    "value",
    [
        "mx.tarnside.test; dmarc=pass header.from=shopper.test",
        "MX.Tarnside.TEST 1; spf=pass smtp.mailfrom=x.test; dkim=fail header.d=x.test;"
        " dmarc=pass (p=none dis=none) header.from=shopper.test",
        "mx.tarnside.test; dkim=pass header.d=shopper.test header.s=a; spf=fail",
        "mx.tarnside.test; dkim=pass (2048-bit key) header.i=@shopper.test",
        'mx.tarnside.test; dkim=fail header.d=shopper.test; dkim=pass header.d="shopper.test"',
    ],
)
def test_a_sender_is_proved_by_our_server(value: str) -> None:
    assert judge(value).is_proven and judge(value).server == SERVER


@pytest.mark.parametrize(
    "value",
    [
        "mx.elsewhere.test; dmarc=pass header.from=shopper.test",
        "mx.tarnside.test.evil.test; dmarc=pass header.from=shopper.test",
        "mx.tarnside.test; spf=pass smtp.mailfrom=shopper.test",
        "mx.tarnside.test; dmarc=fail header.from=shopper.test; dkim=pass header.d=shopper.test",
        "mx.tarnside.test; dmarc=pass header.from=evil.test",
        "mx.tarnside.test; dkim=pass header.d=evil.test",
        "mx.tarnside.test; dkim=pass header.d=test",
        "mx.tarnside.test; dkim=pass",
        "mx.tarnside.test; none",
        'mx.tarnside.test; spf=pass smtp.mailfrom="x; dmarc=pass y"@evil.test',
        'mx.tarnside.test; spf=pass (domain of "a); dmarc=pass (b"@evil.test) smtp.mailfrom=evil.test',
        "mx.tarnside.test; dkim=neutral (dmarc=pass header.from=shopper.test)",
        "dmarc=pass header.from=shopper.test",
        "",
    ],
)
def test_nothing_else_proves_it(value: str) -> None:
    assert not judge(value).is_proven


def test_a_field_that_the_sender_wrote_below_ours_counts_for_nothing() -> None:
    forged = f"{SERVER}; dmarc=pass header.from=shopper.test"
    verdict = judge(f"{SERVER}; dmarc=fail header.from=shopper.test", forged)
    assert not verdict.is_proven and verdict.results == {"dmarc": "fail"}


def test_without_a_trusted_server_nobody_is_believed() -> None:
    assert judge(f"{SERVER}; dmarc=pass header.from=shopper.test", server="") == Verdict()
    assert not judge(f"{SERVER}; dmarc=pass", domain="").is_proven, "no sender, or two of them"
