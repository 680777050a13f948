"""Where a demo shop may live: never where its log-ins, whose password everybody knows, could open a real shop."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _


class NoDemoHere(Exception):
    """The demo shop or its people may not be put here; the text says why and what to do."""


def refuse_outside_demo() -> None:
    """Raise NoDemoHere where mail leaves the machine, or the site is served to others over https."""
    if not settings.USES_MAIL_CATCHER:
        raise NoDemoHere(
            _(
                "EMAIL_URL names a real mail server, and the demo shop is only for trying out. Take EMAIL_URL away first."
            )
        )
    if settings.SITE_IS_HTTPS:
        raise NoDemoHere(
            _("This site has an https address, and everybody knows the password of the demo log-ins. Not put in.")
        )
