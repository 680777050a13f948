"""What is done to many customers at once: those who were ticked, or all whom the filters of the list mean."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import CharField, QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from customers.ingest.consent import suppress_addresses
from customers.ingest.known_values import list_tags
from customers.ingest.tags import tag_customers, untag_customers
from customers.models import AuditAction, Customer, Suppression, record_audit
from customers.segments.editing import save_segment
from customers.segments.vocabulary import ADDRESS_SQL

from .customer_export import stream_customers
from .customer_list import filter_customers

#: What there is to do, with the right that it takes and its word on the confirming page.
ACTIONS: Final = {
    "export": ("customers.export_list", gettext_lazy("Export")),
    "tag": ("customers.change_segment", gettext_lazy("Put a tag to them")),
    "untag": ("customers.change_segment", gettext_lazy("Take a tag away from them")),
    "campaign": ("campaigns.add_campaign", gettext_lazy("Start a campaign for them")),
    "suppress": ("customers.suppress_list", gettext_lazy("Never write to them again")),
}
ADDRESSES_AT_A_TIME: Final = 5_000


@dataclass(frozen=True)
class Selection:
    """Who is meant, and how the next page says it again."""

    customers: QuerySet[Customer]
    numbers: list[int]
    query: str
    is_all: bool


@require_POST
@permission_required("customers.view_customer", raise_exception=True)
def act_on_customers(request: HttpRequest) -> HttpResponseBase:
    """Ask whether it is meant, saying how many people it touches; with `confirm`, do it."""
    action = request.POST.get("do", "")
    if action not in ACTIONS:
        return redirect(_back(request))
    if not request.user.has_perm(ACTIONS[action][0]):
        raise PermissionDenied
    selection = _read_selection(request)
    if selection is None or not selection.customers.exists():
        messages.warning(request, _("Nobody was chosen. Tick some people first, or take all who match."))
        return redirect(_back(request))
    if action == "export":
        return stream_customers(request, selection.customers)
    fault = ""
    if "confirm" in request.POST:
        fault, response = _do(request, action, selection)
        if response is not None:
            return response
    context = {
        "action": action,
        "title": ACTIONS[action][1],
        "people": selection.customers.count(),
        "selection": selection,
        "fault": fault,
        "typed": request.POST.get("word", "") or QueryDict(selection.query).get("tag", ""),
        "known_tags": list_tags() if action in ("tag", "untag") else [],
        "back": _back(request),
    }
    return render(request, "customers/bulk.html", context, status=422 if fault else 200)


def _do(request: HttpRequest, action: str, selection: Selection) -> tuple[str, HttpResponse | None]:
    """A fault in words, or where to go on."""
    word = " ".join(request.POST.get("word", "").split())
    assert isinstance(request.user, User)
    if action == "suppress":
        people = selection.customers.count()
        if word.replace(",", "") != str(people):
            return _("Type the number of people to confirm."), None
        number = _suppress(request.user, selection.customers)
        messages.success(request, _say_people(number, _("%(n)s more addresses are never written to again.")))
        return "", redirect(_back(request))
    if not word or len(word) > 60:
        return _("Give it a name of at most 60 letters."), None
    if action == "tag":
        number = _tag(request.user, selection.customers, word)
        messages.success(request, _say_people(number, _("%(n)s people were given the tag.")))
        return "", redirect(f"{reverse('customers:list')}?{_encode(tag=word)}")
    if action == "untag":
        number = _untag(request.user, selection.customers, word)
        messages.success(request, _say_people(number, _("The tag was taken away from %(n)s people.")))
        return "", redirect(_back(request))
    return _start_campaign(request, request.user, selection, word)


def _say_people(number: int, sentence: str) -> str:
    return sentence % {"n": f"{number:,}"}


@transaction.atomic
def _tag(user: User, customers: QuerySet[Customer], tag: str) -> int:
    number = tag_customers(customers, tag)
    record_audit(AuditAction.CUSTOMERS_TAGGED, actor=user, about=("tag", tag), people=number)
    return number


@transaction.atomic
def _untag(user: User, customers: QuerySet[Customer], tag: str) -> int:
    number = untag_customers(customers, tag)
    record_audit(AuditAction.CUSTOMERS_UNTAGGED, actor=user, about=("tag", tag), people=number)
    return number


def _suppress(user: User, customers: QuerySet[Customer]) -> int:
    """On every channel, batch by batch: a million addresses are never in memory at once, and a broken connection leaves whole
    batches."""
    source, done = f"list:{user.pk}", 0
    for channel, address in ADDRESS_SQL.items():
        of_row = RawSQL(address.format("customers_customer"), [], output_field=CharField())
        found = customers.annotate(address=of_row).exclude(address="").order_by("pk").values_list("address", flat=True)
        rows = found.iterator(chunk_size=ADDRESSES_AT_A_TIME)
        while batch := list(islice(rows, ADDRESSES_AT_A_TIME)):
            done += suppress_addresses(batch, reason=Suppression.Reason.STAFF, source=source, channel=channel)
    record_audit(AuditAction.CUSTOMERS_SUPPRESSED, actor=user, about=("customers", ""), people=done)
    return done


def _start_campaign(
    request: HttpRequest, user: User, selection: Selection, name: str
) -> tuple[str, HttpResponse | None]:
    """The chosen people as a segment of their own, by a tag of its name, and a new campaign for it."""
    rule = {"match": "all", "rules": [{"field": "tag", "op": "is", "value": name}]}
    try:
        with transaction.atomic():
            segment = save_segment(user, name=name, rule=rule, now=timezone.now())
            _tag(user, selection.customers, name)
    except IntegrityError:
        return _("A segment of this name exists. Choose another name."), None
    return "", redirect(f"{reverse('campaigns:new')}?{_encode(segment=str(segment.pk))}")


def _read_selection(request: HttpRequest) -> Selection | None:
    query = request.POST.get("query", "")
    if request.POST.get("all"):
        filters = filter_customers(QueryDict(query))
        return Selection(filters.qs, [], query, True) if filters.is_valid() else None
    numbers = [int(text) for text in request.POST.getlist("chosen") if text.isdecimal() and len(text) < 19]
    return Selection(Customer.objects.known().select_related("score").filter(pk__in=numbers), numbers, query, False)


def _back(request: HttpRequest) -> str:
    query = QueryDict(request.POST.get("query", "")).urlencode()
    return f"{reverse('customers:list')}{'?' if query else ''}{query}"


def _encode(**values: Any) -> str:
    query = QueryDict(mutable=True)
    query.update(values)
    return query.urlencode()
