"""A segment: the builder with its live count, and what is known of a saved one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.forms import SegmentForm
from customers.forms.rule_actions import act, find_focus
from customers.forms.rule_drafts import (
    Block,
    check_block,
    lay_out_block,
    name_path,
    new_block,
    read_block,
    to_tree,
)
from customers.forms.rule_rows import Row
from customers.ingest.clock import read_shop_clock
from customers.insights.browsing import count_customers
from customers.models import Segment, SegmentRevision
from customers.segments.archiving import SegmentIsArchived
from customers.segments.editing import save_segment
from customers.segments.estimating import ALWAYS_EXACT
from customers.segments.membership import measure_overlaps
from customers.segments.reach import measure_reach
from customers.segments.rules import Group, RuleError, read_gently
from customers.segments.telling import tell_rule
from customers.segments.wording import describe_error
from customers.views.builder import lay_out, list_choices, list_said
from customers.views.rule_preview import NOT_COUNTED, preview
from customers.views.saved_segment import tell_saved
from customers.views.suggestions import list_suggestions


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("customers.add_segment", raise_exception=True)
def create_segment(request: HttpRequest) -> HttpResponse:
    """A new segment; `?from=60&to=80` starts from a range of the Predictions page, `?rule=` from any rule's JSON."""
    if request.method == "POST":
        return _take_segment(request, None)
    form = SegmentForm(initial={"name": request.GET.get("name", "")[:120]})
    block = _start_block(request)
    return _render_form(request, None, form, block, None if block.error else check_block(block)[0])


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("customers.view_segment", raise_exception=True)
def show_segment(request: HttpRequest, pk: int) -> HttpResponse:
    """One segment: its rule, who is in and why, where it is used, how it grew; those with the right may change it. With
    `?revision=` the conditions of an earlier one stand in the rows, to be saved as the next."""
    segment = get_object_or_404(Segment.objects.select_related("counted"), pk=pk)
    if request.method == "POST":
        return _take_segment(request, segment)
    earlier = _read_revision(request, segment)
    reading = read_gently(earlier.rule if earlier else segment.rule)
    rule, checked = check_block(lay_out_block(reading.rule), own=segment.pk)
    if reading.is_unread:
        checked = replace(checked, error=describe_error(reading.faults[0]))
    return _render_form(request, segment, SegmentForm(instance=segment), checked, rule, earlier=earlier)


@require_POST
@permission_required("customers.view_segment", raise_exception=True)
def change_rows(request: HttpRequest) -> HttpResponse:
    """The rows after a button of the builder; a fragment for htmx, which asks for the preview anew. `rule-changed` says where
    the keyboard goes on."""
    before, action = read_block(request.POST), request.POST.get("action", "")
    block = act(before, action)
    context = {"tree": lay_out(block), "may_change": True} | list_choices(block, own=_read_own(request))
    response = render(request, "customers/_rule_tree.html", context)
    changed = {"rule-changed": {"focus": find_focus(before, block, action)}}
    response["HX-Trigger-After-Swap"] = json.dumps(changed)
    return response


@require_POST
@permission_required("customers.view_segment", raise_exception=True)
def preview_segment(request: HttpRequest) -> HttpResponse:
    """The live count and sample of the rows as they stand, exact where that is asked, and what is to be said at each row; a
    fragment for htmx."""
    rule, checked = check_block(_read_posted(request), own=_read_own(request))
    found = preview(rule, is_exact=request.POST.get("action") == "count")
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
    context: dict[str, Any] = {"reach": [], "overlaps": []}
    if rule is not None:
        as_of = read_shop_clock(timezone.now())
        context = {
            "reach": measure_reach(rule, as_of=as_of),
            "overlaps": measure_overlaps(rule, as_of=as_of, without=_read_own(request), most=6),
        }
    return render(request, "customers/_segment_surroundings.html", context)


def _read_revision(request: HttpRequest, segment: Segment) -> SegmentRevision | None:
    """The earlier revision that is asked for."""
    number = request.GET.get("revision", "")
    if not number.isdecimal() or len(number) > 8 or int(number) == segment.number:
        return None
    return segment.revisions.filter(number=int(number)).first()


def _read_own(request: HttpRequest) -> int | None:
    """The saved segment whose page sent a form, None of a new one."""
    own = request.POST.get("segment", "")
    return int(own) if own.isdecimal() and len(own) < 10 else None


def _read_posted(request: HttpRequest) -> Block:
    """The rows as they stand; where none were sent, since whoever may only look has no fields, those of the saved segment."""
    own = _read_own(request)
    if f"{name_path(())}:match" not in request.POST and own is not None:
        segment = Segment.objects.filter(pk=own).first()
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
    except (RuleError, SegmentIsArchived) as error:  # somebody changed another segment, or archived this one, meanwhile
        form.add_error(None, describe_error(error) if isinstance(error, RuleError) else str(error))
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
    earlier: SegmentRevision | None = None,
) -> HttpResponse:
    # A large shop's page does not wait for its count: htmx asks for it as soon as the page stands.
    is_late = request.method != "POST" and rule is not None and count_customers().number > ALWAYS_EXACT
    found = NOT_COUNTED if is_late else preview(rule, is_exact=is_exact)
    context: dict[str, Any] = {
        "segment": segment,
        "form": form,
        "tree": lay_out(block, found["warnings"]),
        "proposal": (request.POST.get("proposal") or request.GET.get("proposal", ""))[:2_000],
        "may_change": request.user.has_perm("customers.change_segment" if segment else "customers.add_segment")
        and not (segment and segment.is_archived),
        **list_choices(block, own=segment.pk if segment else None),
        "suggestions": list_suggestions(),
        "is_late": is_late,
        "earlier": earlier,
        **found,
    }
    if segment is not None:
        context |= tell_saved(request, segment)
    return render(request, "customers/segment.html", context, status=status)


def _start_block(request: HttpRequest) -> Block:
    """What stands in the rows of a new segment; of a rule in the address that cannot be used each fault at its row."""
    if asked := request.GET.get("rule", ""):
        return _read_address(asked)
    low, high = request.GET.get("from", ""), request.GET.get("to", "")
    if not low.isdecimal():
        return new_block()
    typed = {"what": "churn_probability", "op": "gte", "value": low}
    if high.isdecimal() and len(high) < 3:
        typed |= {"op": "between", "value2": high}
    return Block("all", (Row(typed),))


def _read_address(asked: str) -> Block:
    try:
        tree = json.loads(asked)
    except (ValueError, RecursionError):
        return replace(new_block(), error=_("The rule is no JSON."))
    reading = read_gently(tree)
    if reading.is_unread:
        return replace(new_block(), error=describe_error(reading.faults[0]))
    return check_block(lay_out_block(reading.rule))[1]
