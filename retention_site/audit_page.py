"""The page Audit: who did what, by filters in the URL, and the same rows as a file."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import Group, User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from campaigns.models import Campaign
from customers.filters import AuditFilter
from customers.insights.audit_chain import read_head
from customers.models import ApiKey, AuditAction, AuditEntry, Segment
from customers.views.spreadsheets import Echo, defuse, record_export
from retention_site.audit_words import CHOICES, DETAILS, KINDS, UNSHOWN
from retention_site.templatetags.ui import person_name

PAGE_SIZE: Final = 50
MOST_EXPORTED: Final = 100_000
#: Named things whose present names are looked up for a page of entries.
NAMED: Final[dict[str, tuple[type[Any], str]]] = {
    "campaign": (Campaign, "name"),
    "segment": (Segment, "name"),
    "role": (Group, "name"),
    "api_key": (ApiKey, "name"),
}


@dataclass(frozen=True)
class Told:
    """An entry with the names that its ids have now."""

    entry: AuditEntry
    who: str
    what: str
    about: str
    kind: str
    url: str
    details: list[tuple[str, str]]


@require_safe
@permission_required("customers.view_auditentry", raise_exception=True)
def show_audit(request: HttpRequest) -> HttpResponse:
    """The newest entries first, by filters in the URL."""
    filters = AuditFilter(request.GET, queryset=AuditEntry.objects.order_by("-id"))
    page = Paginator(filters.qs, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": tell_entries(list(page.object_list)),
        "people": [(user.pk, person_name(user)) for user in User.objects.order_by("username")[:500]],
        "actions": AuditAction.choices,
        "kinds": [(key, label) for key, (label, _url) in KINDS.items()],
        "chips": _describe_filters(request.GET, request.path),
        "head": read_head(),
    }
    return render(request, "audit.html", context)


@require_safe
@permission_required("customers.view_auditentry", raise_exception=True)
def download_audit(request: HttpRequest) -> StreamingHttpResponse:
    """The same entries as CSV, oldest first, with their hashes; what a spreadsheet would run is defused."""
    found = AuditFilter(request.GET, queryset=AuditEntry.objects.order_by("id")).qs[:MOST_EXPORTED]
    record_export(request, "audit")
    response = StreamingHttpResponse(_write_rows(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


def tell_entries(entries: Sequence[AuditEntry]) -> list[Told]:
    """Entries in words: one query for people, and one for each kind of named thing among them."""
    people, names = _name_people(entries), _name_things(entries)
    return [_tell(entry, people, names) for entry in entries]


def _tell(entry: AuditEntry, people: dict[int, str], names: dict[tuple[str, str], str]) -> Told:
    kind, key = entry.object_kind, entry.object_id
    label, page = KINDS.get(kind, (kind, ""))
    name = people.get(int(key), "") if kind == "user" and key.isdecimal() else names.get((kind, key), "")
    details = [
        (str(DETAILS.get(name, name.replace("_", " "))), _join(name, value))
        for name, value in entry.details.items()
        if name not in UNSHOWN
    ]
    return Told(
        entry=entry,
        who=_name_actor(entry.actor_id, people),
        what=entry.action_label,
        about=name or key or str(label),
        kind=str(label) if name or key else "",
        url=_find_page(page, key),
        details=[(name, value) for name, value in details if value != ""],
    )


def _name_actor(actor_id: int | None, people: dict[int, str]) -> str:
    if actor_id is None:
        return ""
    return people.get(actor_id) or _("person %(number)d, removed since") % {"number": actor_id}


def _find_page(name: str, key: str) -> str:
    if not name:
        return ""
    return reverse(name, args=[int(key)]) if key.isdecimal() else "" if key else reverse(name)


def _join(name: str, value: Any) -> str:
    if name in CHOICES:
        return str(dict(CHOICES[name]).get(value, value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if not isinstance(value, list):
        return str(value)
    return pgettext("between values", ", ").join(_say(str(one)) for one in value)


def _say(one: str) -> str:
    """A field as words; a setting as it is written in .env."""
    return one if one.isupper() else one.replace("_", " ")


def _name_people(entries: Iterable[AuditEntry]) -> dict[int, str]:
    wanted = {entry.actor_id for entry in entries if entry.actor_id}
    wanted |= {int(entry.object_id) for entry in entries if entry.object_kind == "user" and entry.object_id.isdecimal()}
    return {user.pk: person_name(user) for user in User.objects.filter(pk__in=wanted)} if wanted else {}


def _name_things(entries: Iterable[AuditEntry]) -> dict[tuple[str, str], str]:
    wanted: dict[str, set[int]] = {}
    for entry in entries:
        if entry.object_kind in NAMED and entry.object_id.isdecimal():
            wanted.setdefault(entry.object_kind, set()).add(int(entry.object_id))
    return {
        (kind, str(pk)): str(name)
        for kind, keys in wanted.items()
        for pk, name in NAMED[kind][0].objects.filter(pk__in=keys).values_list("pk", NAMED[kind][1])
    }


def _describe_filters(query: QueryDict, path: str) -> list[dict[str, str]]:
    """The filters in force as chips, each with the address that lifts it."""
    labels = {"kind": _("About"), "object": _("Number"), "since": _("From"), "until": _("Until")}
    chips = []
    for name, value in query.items():
        if name not in {"who", "what", *labels} or not value:
            continue
        rest = query.copy()
        rest.pop(name)
        rest.pop("page", None)
        shown = str(value)
        if name == "what" and value in AuditAction.values:
            shown = str(AuditAction(value).label)
        elif name == "kind" and value in KINDS:
            shown = str(KINDS[str(value)][0])
        elif name == "who" and shown.isdecimal():
            shown = person_name(User.objects.filter(pk=int(shown) % 2**31).first()) or shown
        label = labels.get(name) or (_("Who") if name == "who" else _("What"))
        chips.append({"label": label, "value": shown, "without": f"{path}?{rest.urlencode()}"})
    return chips


def _write_rows(found: Any) -> Iterator[str]:
    writer = csv.writer(Echo())
    names = (
        "number",
        "happened_at",
        "actor_id",
        "action",
        "object_kind",
        "object_id",
        "details",
        "previous_hash",
        "hash",
    )
    yield writer.writerow(names)
    for row in found.values_list(*names).iterator(chunk_size=2_000):
        yield writer.writerow([defuse("" if value is None else str(value)) for value in row])
