"""Who gets what from every address, walked from the URL conf: nothing is open that is not named here."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.conftest import MakeUser

pytestmark = pytest.mark.django_db

#: Addresses that anybody may ask; all others send a stranger to the log-in page, or say 401 or 403.
PUBLIC = {
    "login", "set_language", "healthz", "readyz", "campaigns:unsubscribe", "campaigns:click", "campaigns:open",
    "campaigns:mail-webhook", "campaigns:sms-hook", "campaigns:receiver-report", "campaigns:short-link",
    "customers:shop-hook", "support:contact", "support:mail-hook", "support:person", "support:rating",
    "campaigns:preferences", "campaigns:confirm-opt-in", "campaigns:sign-up", "campaigns:why", "campaigns:ask-for-data",
    "campaigns:weekly-end", "campaigns:own-data", "campaigns:own-copy",
}  # fmt: skip
PUBLIC_PREFIXES = ("password_reset", "admin:login", "admin:jsi18n")
#: What each role may open without being refused. "" is somebody with no role.
PAGES = {
    "customers:list": {"marketer", "approver", "analyst", "support", "admin"},
    "customers:segments": {"marketer", "approver", "analyst", "admin"},
    "customers:segment-new": {"marketer", "analyst", "admin"},
    "customers:predictions": {"marketer", "approver", "analyst", "admin"},
    "customers:replay": {"marketer", "approver", "analyst", "admin"},
    "customers:retention": {"marketer", "approver", "analyst", "admin"},
    "customers:imports": {"marketer", "analyst", "admin"},
    "customers:import-new": {"marketer", "analyst", "admin"},
    "integrations": {"marketer", "analyst", "admin"},
    "customers:refused": {"marketer", "analyst", "admin"},
    "customers:endpoint-new": {"admin"},
    "campaigns:whom": {"marketer", "approver", "analyst", "admin"},
    "campaigns:list": {"marketer", "approver", "analyst", "admin"},
    "campaigns:new": {"marketer", "admin"},
    "campaigns:review": {"marketer", "approver", "analyst", "admin"},
    "campaigns:notifications": {"marketer", "approver", "analyst", "admin"},
    "campaigns:notification-choice": {"marketer", "approver", "analyst", "admin"},
    "campaigns:report-retention": {"marketer", "approver", "analyst", "admin"},
    "campaigns:report-lift": {"marketer", "approver", "analyst", "admin"},
    "campaigns:report-fairness": {"marketer", "approver", "analyst", "admin"},
    "campaigns:report-cost": {"marketer", "approver", "analyst", "admin"},
    "campaigns:cost-rates": {"marketer", "approver", "analyst", "admin"},
    "campaigns:outbox": {"marketer", "approver", "analyst", "support", "admin"},
    "campaigns:voice": {"marketer", "approver", "analyst", "admin"},
    "campaigns:voice-history": {"marketer", "approver", "analyst", "admin"},
    "campaigns:policies": {"marketer", "approver", "analyst", "admin"},
    "campaigns:policies-history": {"marketer", "approver", "analyst", "admin"},
    "customers:privacy": {"support", "admin"},
    "customers:products": {"marketer", "approver", "analyst", "support", "admin"},
    "customers:suppressions": {"marketer", "support", "admin"},
    "support:queue": {"support", "admin"},
    "support:articles": {"marketer", "approver", "analyst", "support", "admin"},
    "support:article-new": {"marketer", "approver", "analyst", "support", "admin"},
    "support:gaps": {"analyst", "support", "admin"},
    "support:mailbox": {"support", "admin"},
    "support:quality": {"analyst", "support", "admin"},
    "support:canned-list": {"support", "admin"},
    "support:canned-new": {"support", "admin"},
    "support:automatic": {"analyst", "support", "admin"},
    "customers:shops": {"admin"},
    "customers:shop-new": {"admin"},
    "customers:merges": {"marketer", "approver", "analyst", "support", "admin"},
    "audit": {"analyst", "admin"},
    "campaigns:limits": {"marketer", "approver", "analyst", "admin"},
    "campaigns:global-holdout": {"marketer", "approver", "analyst", "admin"},
    "campaigns:channels": {"marketer", "approver", "analyst", "admin"},
    "campaigns:domain": {"marketer", "approver", "analyst", "admin"},
    "audit-file": {"analyst", "admin"},
    "settings": {"marketer", "approver", "analyst", "admin"},
    "model-settings": {"marketer", "approver", "analyst", "admin"},
    "home": {"marketer", "approver", "analyst", "support", "admin", ""},
    "search": {"marketer", "approver", "analyst", "support", "admin", ""},
}


def _walk(patterns: list[URLPattern | URLResolver], prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _walk(pattern.url_patterns, route, inner)
        else:
            yield f"{space}{pattern.name or route}", "/" + _fill(route)


def _fill(route: str) -> str:
    """A path for a route: 1 for numbers, x for words."""
    route = re.sub(r"\(\?P<\w+>[^()]*(?:\([^()]*\)[^()]*)*\)", "1", route)
    route = re.sub(r"<int:\w+>", "1", route)
    route = re.sub(r"<(?:\w+:)?\w+>", "x", route)
    return re.sub(r"[\\?^$]|\\\\Z", "", route)


ROUTES = sorted(set(_walk(get_resolver().url_patterns)))


def test_the_walk_finds_the_whole_site() -> None:
    names = {name for name, _path in ROUTES}
    assert len(names) > 60
    assert names >= set(PAGES) | PUBLIC


def test_a_stranger_is_let_in_nowhere_else(client: Client) -> None:
    let_in = []
    for name, path in ROUTES:
        response = client.get(path)
        assert response.status_code < 500, path
        if name in PUBLIC or name.startswith(PUBLIC_PREFIXES):
            continue
        is_sent_to_log_in = response.status_code == 302 and "login" in response["Location"]
        # A page must not even say that something is not there; the admin's own catch-all may.
        if not (is_sent_to_log_in or response.status_code in (401, 403, 405) or path.startswith("/admin/")):
            let_in.append((name, path, response.status_code))
    assert let_in == []


@pytest.mark.parametrize("role", ["marketer", "approver", "analyst", "support", "admin", ""])
def test_each_role_opens_its_pages_and_no_others(role: str, make_user: MakeUser, client: Client) -> None:
    client.force_login(make_user("somebody", role))
    paths = dict(ROUTES)
    opened = {name for name in PAGES if client.get(paths[name]).status_code == 200}
    refused = {name for name in PAGES if client.get(paths[name]).status_code == 403}
    assert opened == {name for name, roles in PAGES.items() if role in roles}
    assert opened | refused == set(PAGES)


def test_somebody_without_a_role_changes_nothing(make_user: MakeUser, client: Client) -> None:
    client.force_login(make_user("otto", ""))
    paths = [(name, path) for name, path in ROUTES if name.startswith(("campaigns:", "customers:", "support:", "api-"))]
    answers = {name: client.post(path).status_code for name, path in paths if name not in PUBLIC}
    assert {name: code for name, code in answers.items() if code not in (403, 404, 405)} == {}
