"""The page Suppressed: who is never written to, whatever a segment says."""

from __future__ import annotations

import codecs
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from customers.ingest.suppression_list import (
    NotAnEntry,
    WhyLifted,
    add_entries,
    lift_domain,
    lift_suppression,
    read_entry,
    read_list,
    write_list,
)
from customers.models import SuppressedDomain, Suppression

from .privacy import read_user
from .spreadsheets import record_export

PAGE_SIZE = 50


@require_safe
@permission_required("customers.view_suppression", raise_exception=True)
def show_suppressions(request: HttpRequest) -> HttpResponse:
    """The newest first, by reason; an address is found by its hash alone, so the whole of it has to be typed."""
    words, reason = request.GET.get("q", "").strip(), request.GET.get("reason", "")
    found = Suppression.objects.order_by("-pk")
    domains = SuppressedDomain.objects.order_by("domain", "is_below")
    if reason in Suppression.Reason.values:
        found = found.filter(reason=reason)
    is_unread = False
    if words:
        try:
            entry = read_entry(words)
            found = found.filter(address_hash=entry.address_hash) if entry.address_hash else found.none()
            domain = entry.domain or words.rpartition("@")[2].lower()
            names = domain.split(".")
            above = [".".join(names[start:]) for start in range(1, len(names))]
            domains = domains.filter(Q(domain=domain) | Q(domain__in=above, is_below=True))
        except NotAnEntry:
            is_unread, found, domains = True, found.none(), domains.none()
    sizes = dict(Suppression.objects.order_by().values_list("reason").annotate(Count("pk")))
    context: dict[str, Any] = {
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "domains": domains[: PAGE_SIZE * 4],
        "domain_count": SuppressedDomain.objects.count(),
        "reasons": [(key, label, sizes.get(key, 0)) for key, label in Suppression.Reason.choices if sizes.get(key)],
        "total": sum(sizes.values()),
        "q": words,
        "reason": reason,
        "is_unread": is_unread,
        "whys": WhyLifted.choices,
    }
    return render(request, "customers/suppressions.html", context)


@require_POST
@permission_required("customers.add_suppression", raise_exception=True)
def add_suppressions(request: HttpRequest) -> HttpResponse:
    """What was typed, one to a line, or a file."""
    note = request.POST.get("note", "").strip()
    if not note:
        messages.error(request, _("Say why: a colleague will ask in a year."))
        return redirect("customers:suppressions")
    upload = request.FILES.get("file")
    plain = request.POST.get("hashes") == "plain"
    try:
        if upload is not None:
            if (upload.size or 0) > settings.MAX_UPLOAD_MB * 2**20:
                raise ValidationError(_("The file is too large."))
            entries = read_list(codecs.iterdecode(upload, "utf-8", errors="replace"), plain_hashes=plain)
        else:
            entries = read_list(request.POST.get("entries", "").splitlines(), plain_hashes=plain)
        counts = add_entries(entries, actor=read_user(request), note=note, source="list" if upload else "staff")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("customers:suppressions")
    _tell(request, counts)
    return redirect("customers:suppressions")


@require_POST
@permission_required("customers.delete_suppression", raise_exception=True)
def remove_suppression(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Take an address or a domain off the list, for a reason that is kept."""
    why = request.POST.get("why", "")
    if why not in WhyLifted.values:
        messages.error(request, _("Choose a reason: it is kept."))
        return redirect("customers:suppressions")
    try:
        lift = lift_domain if kind == "domain" else lift_suppression
        if lift(pk, actor=read_user(request), why=why):
            messages.success(request, _("Taken off the list. Whether you may write still depends on their consent."))
        else:
            messages.warning(request, _("It was taken off before."))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("customers:suppressions")


@require_safe
@permission_required("customers.view_suppression", raise_exception=True)
def download_suppressions(request: HttpRequest) -> StreamingHttpResponse:
    """The whole list: hashes and domains, never an address."""
    record_export(request, "suppressions")
    response = StreamingHttpResponse(write_list(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="suppressed.csv"'
    return response


def _tell(request: HttpRequest, counts: dict[str, int]) -> None:
    added, before = counts.get("added", 0), counts.get("before", 0)
    parts = [ngettext("%(n)s added.", "%(n)s added.", added) % {"n": f"{added:,}"}]
    if before:
        parts.append(ngettext("%(n)s stood there before.", "%(n)s stood there before.", before) % {"n": f"{before:,}"})
    if nobody := counts.get("nobody", 0):
        words = _("%(n)s hashes are of nobody here, and cannot be kept: only a hash of ours can be compared later.")
        parts.append(words % {"n": f"{nobody:,}"})
    if unread := counts.get("unread", 0):
        words = _("%(n)s lines are no address, number, domain or hash.")
        parts.append(words % {"n": f"{unread:,}"})
    (messages.success if added or before else messages.warning)(request, " ".join(parts))
