"""The log-in page: in the demo shop, and only there, it names the people who may be tried out."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.views import LoginView
from django.core.cache import cache

from retention_site.demo.fence import NoDemoHere, refuse_outside_demo
from retention_site.demo.people import DEMO_PASSWORD, find_open_logins
from retention_site.navigation import ROLE_LABELS

#: Finding them compares a slow hash: not on every look at the page.
KEEP_LOGINS_S = 60


class ShopLoginView(LoginView):
    """Django's log-in, with the demo's people beside it where there are any."""

    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"demo_logins": list_demo_logins()}


def list_demo_logins() -> list[dict[str, str]]:
    """Name, role and password of every demo log-in that is still open; none outside a demo shop."""
    try:
        refuse_outside_demo()
    except NoDemoHere:
        return []
    found: list[tuple[str, str, str]] = cache.get_or_set("demo-logins", _read_open_logins, KEEP_LOGINS_S) or []
    return [
        {"username": username, "name": name, "role": str(ROLE_LABELS.get(role, role)), "password": DEMO_PASSWORD}
        for username, name, role in found
    ]


def _read_open_logins() -> list[tuple[str, str, str]]:
    return [(person.username, person.first_name, person.role) for person in find_open_logins()]
