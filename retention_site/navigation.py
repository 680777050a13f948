"""The menu: what a person may use, in the order in which the work flows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy, pgettext_lazy

from campaigns.approval.policy import needs_second_person
from campaigns.delivery.fence.gate import read_fence
from campaigns.models import Campaign, Notification, SendingEpoch, StagedChange
from customers.ingest.currency import read_shop_currency
from retention_site.roles import ADMIN_ROLE
from support.models import Ticket


@dataclass(frozen=True)
class MenuItem:
    label: str
    url: str
    is_current: bool
    count: int = 0


@dataclass(frozen=True)
class MenuGroup:
    label: str
    items: list[MenuItem] = field(default_factory=list)


#: (group, [(label, url name, right needed)])
STRUCTURE = (
    (
        "",
        (
            (gettext_lazy("Home"), "home", ""),
            (gettext_lazy("Notifications"), "campaigns:notifications", "campaigns.view_campaign"),
        ),
    ),
    (
        gettext_lazy("Understand"),
        (
            (gettext_lazy("Customers"), "customers:list", "customers.view_customer"),
            (gettext_lazy("Segments"), "customers:segments", "customers.view_segment"),
            (gettext_lazy("Predictions"), "customers:predictions", "customers.view_modelversion"),
            (gettext_lazy("Imports"), "customers:imports", "customers.add_importrun"),
            (gettext_lazy("Merges"), "customers:merges", "customers.view_customermerge"),
        ),
    ),
    (
        gettext_lazy("Act"),
        (
            (gettext_lazy("Campaigns"), "campaigns:list", "campaigns.view_campaign"),
            (gettext_lazy("Review"), "campaigns:review", "campaigns.view_approval"),
            (gettext_lazy("Outbox"), "campaigns:outbox", "campaigns.view_message"),
        ),
    ),
    (
        gettext_lazy("Support"),
        (
            (gettext_lazy("Tickets"), "support:queue", "support.view_ticket"),
            (gettext_lazy("Articles"), "support:articles", "support.view_article"),
            (pgettext_lazy("menu", "Answer quality"), "support:quality", "support.view_answer"),
        ),
    ),
    (
        pgettext_lazy("menu", "Content"),
        (
            (gettext_lazy("Products"), "customers:products", "customers.view_product"),
            (gettext_lazy("Brand voice"), "campaigns:voice", "campaigns.view_brandvoice"),
            (gettext_lazy("Policies"), "campaigns:policies", "campaigns.view_shoppolicies"),
        ),
    ),
    (
        pgettext_lazy("menu", "Reports"),
        (
            (gettext_lazy("Retention"), "campaigns:report-retention", "campaigns.view_campaignresult"),
            (pgettext_lazy("menu", "Cohorts"), "customers:retention", "customers.view_segment"),
            (pgettext_lazy("menu", "Lift"), "campaigns:report-lift", "campaigns.view_campaignresult"),
            (pgettext_lazy("menu", "Cost"), "campaigns:report-cost", "campaigns.view_campaignresult"),
            (pgettext_lazy("menu", "Hold-out"), "campaigns:global-holdout", "campaigns.view_campaignresult"),
            (pgettext_lazy("menu", "Fairness"), "campaigns:report-fairness", "campaigns.view_campaignresult"),
            (gettext_lazy("Whom to write to"), "campaigns:whom", "campaigns.view_campaignresult"),
        ),
    ),
    (
        gettext_lazy("Shop"),
        (
            (gettext_lazy("Privacy"), "customers:privacy", "customers.view_privacyrequest"),
            (gettext_lazy("Suppressed"), "customers:suppressions", "customers.view_suppression"),
            (gettext_lazy("Settings"), "settings", "campaigns.view_campaign"),
            (gettext_lazy("Integrations"), "integrations", "customers.view_intakeday"),
        ),
    ),
)

ROLE_LABELS = {
    "marketer": gettext_lazy("marketer"),
    "approver": gettext_lazy("approver"),
    "analyst": gettext_lazy("analyst"),
    "support": gettext_lazy("support"),
    ADMIN_ROLE: gettext_lazy("admin"),
}


def frame(request: HttpRequest) -> dict[str, Any]:
    """What every page's frame needs. Lazy: a page without the frame asks the database nothing."""
    return {
        "menu": SimpleLazyObject(lambda: build_menu(request)),
        "shop_name": settings.SHOP_NAME,
        "shop_currency": SimpleLazyObject(read_shop_currency),
        "sending_fence": SimpleLazyObject(lambda: find_fence(request)),
        "role_label": SimpleLazyObject(lambda: name_role(request)),
    }


def find_fence(request: HttpRequest) -> SendingEpoch | None:
    """Why nothing is sent, for those who see the outbox."""
    user = getattr(request, "user", None)
    return read_fence() if user is not None and user.has_perm("campaigns.view_message") else None


def build_menu(request: HttpRequest) -> list[MenuGroup]:
    """The groups and items that this person may use."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    groups = []
    urls = {name: _find_url(name) for _label, entries in STRUCTURE for _text, name, _right in entries}
    here = _find_current(request, urls.values())
    for label, entries in STRUCTURE:
        items = [
            _make_item(request, str(text), name, urls[name], here)
            for text, name, right in entries
            if urls[name] and (not right or user.has_perm(right))
        ]
        if items:
            groups.append(MenuGroup(str(label), items))
    return groups


def name_role(request: HttpRequest) -> str:
    """The person's role in the reader's words; a superuser without a group is an admin."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return ""
    groups = [str(ROLE_LABELS.get(group.name, group.name)) for group in user.groups.all()]
    return ", ".join(groups) or (str(ROLE_LABELS[ADMIN_ROLE]) if user.is_superuser else "")


def _find_url(name: str) -> str:
    """The address of a page; "" where there is none."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _find_current(request: HttpRequest, urls: Iterable[str]) -> str:
    """The address of the menu's item that this page belongs to: the longest one, because pages lie below each other."""
    below = [url for url in urls if url not in {"", "/"} and request.path.startswith(url)]
    return max(below, key=len, default="/" if request.path == "/" else "")


def _make_item(request: HttpRequest, label: str, name: str, url: str, here: str) -> MenuItem:
    counted = _COUNTS.get(name)
    return MenuItem(label, url, url == here, counted(request) if counted is not None else 0)


def _count_reviews(request: HttpRequest) -> int:
    """The campaigns, and changes of running ones, that this person may decide on: nobody approves what they wrote themselves,
    unless four eyes are off."""
    if not request.user.has_perm("campaigns.approve_campaign"):
        return 0
    waiting, changes = Campaign.objects.in_review(), StagedChange.objects.in_review()
    if needs_second_person():
        waiting = waiting.exclude(author=request.user.pk)
        changes = changes.exclude(author=request.user.pk).exclude(campaign__author=request.user.pk)
    return waiting.count() + changes.count()


def _count_tickets(request: HttpRequest) -> int:
    """What waits for an answer, of this person or of nobody."""
    waiting = Ticket.objects.to_answer()
    return waiting.filter(Q(assignee=None) | Q(assignee=request.user.pk)).count()


def _count_unread(request: HttpRequest) -> int:
    return Notification.objects.unread_by(request.user.pk or 0).count()


_COUNTS: dict[str, Callable[[HttpRequest], int]] = {
    "campaigns:review": _count_reviews,
    "campaigns:notifications": _count_unread,
    "support:queue": _count_tickets,
}
