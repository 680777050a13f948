"""Segments: the list, the builder with its live count, and what is known of a saved one."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.forms import SegmentForm
from customers.forms.rule_actions import act, find_focus
from customers.forms.rule_drafts import Block, check_block, lay_out_block, name_path, new_block, read_block, to_tree
from customers.forms.rule_rows import Row
from customers.ingest.clock import read_shop_clock
from customers.insights.browsing import count_customers
from customers.models import Customer, Segment
from customers.segments.checking import check_rule
from customers.segments.editing import save_segment
from customers.segments.estimating import ALWAYS_EXACT, Estimate, preview_quickly
from customers.segments.evidence import explain
from customers.segments.membership import list_changes, list_users, measure_overlaps, read_sizes
from customers.segments.names import read_names
from customers.segments.preview import Preview, preview_query
from customers.segments.reach import measure_reach
from customers.segments.rules import Group, Reading, RuleError, dump_rule, parse_rule, read_gently
from customers.segments.telling import Told, tell_reading, tell_rule
from customers.segments.wording import describe_error, describe_rule
from customers.views.builder import lay_out, list_choices, list_said
from customers.views.suggestions import list_suggestions


@require_safe
@permission_required("customers.view_segment", raise_exception=True)
def list_segments(request: HttpRequest) -> HttpResponse:
    """Every segment with its rule in a sentence and how many it had when it was last looked at; one that was not counted
    yet is counted now."""
    as_of = read_shop_clock(timezone.now())
    segments = list(Segment.objects.filter(is_archived=False).select_related("counted"))
    readings = [read_gently(segment.rule) for segment in segments]
    names = read_names(*(reading.rule for reading in readings))
    rows = []
    for segment, reading in zip(segments, readings, strict=True):
        counted = getattr(segment, "counted", None)
        if counted is not None and counted.is_of_this_rule:
            told = Told(describe_rule(reading.rule, names), counted.size, ())
        else:
            told = tell_reading(reading, as_of=as_of, names=names)
        rows.append({"segment": segment, "told": told, "counted": counted})
    return render(request, "customers/segments.html", {"rows": rows, "total": count_customers().number})


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("customers.add_segment", raise_exception=True)
def create_segment(request: HttpRequest) -> HttpResponse:
    """A new segment; `?from=60&to=80` starts from a range of the Predictions page, `?rule=` from any rule's JSON."""
    if request.method == "POST":
        return _take_segment(request, None)
    form = SegmentForm(initial={"name": request.GET.get("name", "")[:120]})
    block = _start_block(request)
    return _render_form(request, None, form, block, check_block(block)[0])


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("customers.view_segment", raise_exception=True)
def show_segment(request: HttpRequest, pk: int) -> HttpResponse:
    """One segment: its rule, who is in and why, where it is used, how it grew; those with the right may change it."""
    segment = get_object_or_404(Segment.objects.select_related("counted"), pk=pk)
    if request.method == "POST":
        return _take_segment(request, segment)
    rule, checked = check_block(lay_out_block(read_gently(segment.rule).rule), own=segment.pk)
    return _render_form(request, segment, SegmentForm(instance=segment), checked, rule)


@require_POST
@permission_required("customers.view_segment", raise_exception=True)
def change_rows(request: HttpRequest) -> HttpResponse:
    """The rows after a button of the builder; a fragment for htmx, which asks for the preview anew. `rule-changed` says where
    the keyboard goes on."""
    before, action = read_block(request.POST), request.POST.get("action", "")
    block = act(before, action)
    context = {"tree": lay_out(block), "may_change": True} | list_choices()
    response = render(request, "customers/_rule_tree.html", context)
    changed = {"rule-changed": {"focus": find_focus(before, block, action)}}
    response["HX-Trigger-After-Swap"] = json.dumps(changed)
    return response


@require_POST
@permission_required("customers.view_segment", raise_exception=True)
def preview_segment(request: HttpRequest) -> HttpResponse:
    """The live count and sample of the rows as they stand, exact where that is asked, and what is to be said at each row; a
    fragment for htmx."""
    rule, checked = check_block(_read_posted(request))
    found = _preview(rule, is_exact=request.POST.get("action") == "count")
    return render(request, "customers/_segment_preview.html", found | {"said": list_said(checked, found["warnings"])})


@require_safe
@permission_required("customers.view_segment", raise_exception=True)
def show_size(request: HttpRequest, pk: int) -> HttpResponse:
    """How many people a saved segment means now: a fragment, so that no page waits for the count. Empty for a broken rule."""
    segment = get_object_or_404(Segment, pk=pk)
    told = tell_rule(segment.rule, as_of=read_shop_clock(timezone.now()))
    return render(request, "customers/_segment_size.html", {"told": told})


@require_POST
@permission_required("customers.view_segment", raise_exception=True)
def show_surroundings(request: HttpRequest) -> HttpResponse:
    """By which channels they can be reached, and which segments they are in besides; a fragment that loads after the count."""
    rule, _checked = check_block(_read_posted(request))
    own = request.POST.get("segment", "")
    context: dict[str, Any] = {"reach": [], "overlaps": []}
    if rule is not None:
        as_of = read_shop_clock(timezone.now())
        without = int(own) if own.isdecimal() and len(own) < 10 else None
        context = {
            "reach": measure_reach(rule, as_of=as_of),
            "overlaps": measure_overlaps(rule, as_of=as_of, without=without, most=6),
        }
    return render(request, "customers/_segment_surroundings.html", context)


def _read_posted(request: HttpRequest) -> Block:
    """The rows as they stand; where none were sent, since whoever may only look has no fields, those of the saved segment."""
    own = request.POST.get("segment", "")
    if f"{name_path(())}:match" not in request.POST and own.isdecimal() and len(own) < 10:
        segment = Segment.objects.filter(pk=int(own)).first()
        if segment is not None:
            return lay_out_block(read_gently(segment.rule).rule)
    return read_block(request.POST)


def _take_segment(request: HttpRequest, segment: Segment | None) -> HttpResponse:
    block, own = read_block(request.POST), segment.pk if segment else None
    action = request.POST.get("action", "save")
    form = SegmentForm(request.POST, instance=segment)
    if action != "save":
        # Rows are still being written: what was typed stays, and nothing is judged before it is saved.
        form = SegmentForm(instance=segment, initial={name: request.POST.get(name, "") for name in form.fields})
        block = act(block, action)
        rule = check_block(block, own=own)[0]
        return _render_form(request, segment, form, block, rule, is_exact=action == "count")
    rule, block = check_block(block, own=own)
    if rule is None or not form.is_valid():
        return _render_form(request, segment, form, block, rule, status=422)
    assert isinstance(request.user, User)
    try:
        saved = save_segment(
            request.user,
            name=form.cleaned_data["name"],
            description=form.cleaned_data["description"],
            rule=to_tree(block),
            now=timezone.now(),
            segment=segment,
            proposal=request.POST.get("proposal", "")[:2_000],
        )
    except RuleError as error:  # another segment was changed meanwhile so that they refer to each other
        form.add_error(None, describe_error(error))
        return _render_form(request, segment, form, block, check_block(block, own=own)[0], status=422)
    messages.success(request, _("“%(name)s” is saved.") % {"name": saved.name})
    return redirect("customers:segment", saved.pk)


def _render_form(
    request: HttpRequest,
    segment: Segment | None,
    form: SegmentForm,
    block: Block,
    rule: Group | None,
    *,
    status: int = 200,
    is_exact: bool = False,
) -> HttpResponse:
    # A large shop's page does not wait for its count: htmx asks for it as soon as the page stands.
    is_late = request.method != "POST" and rule is not None and count_customers().number > ALWAYS_EXACT
    found = _NOT_COUNTED if is_late else _preview(rule, is_exact=is_exact)
    context: dict[str, Any] = {
        "segment": segment,
        "form": form,
        "tree": lay_out(block, found["warnings"]),
        "proposal": (request.POST.get("proposal") or request.GET.get("proposal", ""))[:2_000],
        "may_change": request.user.has_perm("customers.change_segment" if segment else "customers.add_segment"),
        **list_choices(),
        "suggestions": list_suggestions(),
        "is_late": is_late,
        **found,
    }
    if segment is not None:
        context |= _tell_saved(request, segment)
    return render(request, "customers/segment.html", context, status=status)


_NOT_COUNTED: Final[dict[str, Any]] = {"sentence": "", "size": None, "sample": [], "total": 0, "warnings": []}


def _preview(rule: Group | None, *, is_exact: bool = False) -> dict[str, Any]:
    if rule is None:
        return _NOT_COUNTED
    total = count_customers().number
    as_of = read_shop_clock(timezone.now())
    told = tell_reading(Reading(rule, ()), as_of=as_of, counts=False)
    found: Preview | None = None
    if told.query is not None:
        found = preview_query(told.query) if is_exact else preview_quickly(told.query, total=total)
    return {
        "sentence": told.sentence,
        "size": found.size if found else None,
        "estimate": found if isinstance(found, Estimate) else None,
        "faults": told.faults,
        "warnings": [finding for finding in check_rule(rule, as_of=as_of) if not finding.is_fault],
        "sample": found.sample if found else [],
        "total": max(total, found.size if found else 0),
        "rule_json": json.dumps(dump_rule(rule), ensure_ascii=False),
    }


def _tell_saved(request: HttpRequest, segment: Segment) -> dict[str, Any]:
    """What a saved segment adds to the builder."""
    sizes = read_sizes(segment)
    return {
        "used_in": segment.campaigns.order_by("-pk")[:20],
        "used_by": list_users(segment),
        "counted": getattr(segment, "counted", None),
        "sizes": sizes,
        "size_chart": [(date_format(size.day, "j M"), size.size) for size in sizes],
        "changes": list_changes(segment, size=6),
        "revisions": segment.revisions.select_related("saved_by").order_by("-number")[:8],
        "proposed": segment.revisions.exclude(proposed_by="").select_related("saved_by").order_by("-number").first(),
        "why": _tell_why(request, segment),
    }


def _tell_why(request: HttpRequest, segment: Segment) -> dict[str, Any]:
    """The person asked for by `?person=`, a number, an id of the shop or an address, held against each condition."""
    asked = request.GET.get("person", "").strip()[:254]
    if not asked or not request.user.has_perm("customers.view_customer"):
        return {"asked": asked}
    found = Customer.objects.known().select_related("score")
    person = found.filter(pk=int(asked)).first() if asked.isdecimal() and len(asked) < 10 else None
    person = person or found.filter(external_id=asked).first() or found.with_email(asked).first()
    if person is None:
        return {"asked": asked, "is_unknown": True}
    reading = read_gently(segment.rule)
    lines = []
    if reading.is_whole:
        as_of: dt.datetime = read_shop_clock(timezone.now())
        lines = explain(reading.rule, person, as_of=as_of, names=read_names(reading.rule))
    return {"asked": asked, "person": person, "lines": lines, "is_in": bool(lines) and lines[0].is_met}


def _start_block(request: HttpRequest) -> Block:
    with contextlib.suppress(RuleError, ValueError, RecursionError):  # somebody's own address: begin as usual
        return lay_out_block(parse_rule(json.loads(request.GET.get("rule", ""))))
    low, high = request.GET.get("from", ""), request.GET.get("to", "")
    if not low.isdecimal():
        return new_block()
    typed = {"what": "churn_probability", "op": "gte", "value": low}
    if high.isdecimal() and int(high) < 100:
        typed |= {"op": "between", "value2": high}
    return Block("all", (Row(typed),))
