"""django-unfold in our colours: the same warm neutrals and ember as retention_site/static/css/tokens.css."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.translation import gettext_lazy


def _static(path: str) -> Any:
    """Unfold calls it per request: static addresses are only known once the settings stand."""

    def address(_request: HttpRequest) -> str:
        return static(path)

    return address


def _shop_name(_request: HttpRequest) -> str:
    """Read per request: the settings do not stand yet where this is imported."""
    return str(settings.SHOP_NAME)


ADMIN_LOOK: dict[str, Any] = {
    "SITE_TITLE": "Rekindle",
    "SITE_HEADER": "Rekindle",
    "SITE_URL": "/",
    "SITE_SUBHEADER": _shop_name,
    "SITE_DROPDOWN": [{"icon": "arrow_back", "title": gettext_lazy("Back to the pages of every day"), "link": "/"}],
    "SITE_ICON": _static("img/flame.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _static("img/flame.svg")}],
    "STYLES": [_static("css/admin.css")],
    "SHOW_HISTORY": True,
    "SHOW_LANGUAGES": True,
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "base": {
            "50": "oklch(98.4% .005 75)",
            "100": "oklch(96.2% .008 75)",
            "200": "oklch(91.5% .008 75)",
            "300": "oklch(86% .010 72)",
            "400": "oklch(66% .012 70)",
            "500": "oklch(52% .014 60)",
            "600": "oklch(44% .015 60)",
            "700": "oklch(36% .014 60)",
            "800": "oklch(28% .011 60)",
            "900": "oklch(22% .010 60)",
            "950": "oklch(17.8% .008 60)",
        },
        "primary": {
            "50": "oklch(96.5% .020 55)",
            "100": "oklch(93% .040 52)",
            "200": "oklch(87% .070 50)",
            "300": "oklch(80% .105 48)",
            "400": "oklch(73% .145 48)",
            "500": "oklch(64.5% .165 43)",
            "600": "oklch(54% .165 41)",
            "700": "oklch(48% .150 40)",
            "800": "oklch(41% .125 40)",
            "900": "oklch(35% .100 40)",
            "950": "oklch(25% .070 42)",
        },
    },
}
