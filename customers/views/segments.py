"""Segments: the list, and the page on which a rule is written with its live count."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.features.catalogue import THEMES
from customers.features.interests.vocabulary import list_topics
from customers.forms import (
    Blocks,
    Row,
    SegmentForm,
    apply_action,
    build_tree,
    check_blocks,
    lay_out_blocks,
    read_blocks,
)
from customers.ingest.clock import read_shop_clock
from customers.models import Customer, Product, Score, Segment
from customers.segments.checking import check_rule
from customers.segments.editing import save_segment
from customers.segments.names import read_names
from customers.segments.preview import sample_matching
from customers.segments.rules import FIELDS, WITH_CATEGORY, Group, RuleError, dump_rule, parse_rule, read_gently
from customers.segments.telling import tell_reading, tell_rule
from customers.segments.wording import BEHAVIOUR_LABELS, FAMILY_LABELS, FIELD_LABELS, PRICE_LABELS


@require_safe
@permission_required("customers.view_segment", raise_exception=True)
def list_segments(request: HttpRequest) -> HttpResponse:
    """Every segment with its rule in a sentence and how many customers it means now."""
    as_of = read_shop_clock(timezone.now())
    segments = list(Segment.objects.filter(is_archived=False))
    readings = [read_gently(segment.rule) for segment in segments]
    names = read_names(*(reading.rule for reading in readings))
    rows = [
        {"segment": segment, "told": tell_reading(reading, as_of=as_of, names=names)}
        for segment, reading in zip(segments, readings, strict=True)
    ]
    return render(request, "customers/segments.html", {"rows": rows, "total": Customer.objects.count()})


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("customers.add_segment", raise_exception=True)
def create_segment(request: HttpRequest) -> HttpResponse:
    """A new segment; `?from=60&to=80` starts from a range of the Predictions page, `?rule=` from any rule's JSON."""
    if request.method == "POST":
        return _take_segment(request, None)
    return _render_form(request, None, SegmentForm(), _start_blocks(request))


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("customers.view_segment", raise_exception=True)
def show_segment(request: HttpRequest, pk: int) -> HttpResponse:
    """One segment: its rule, who is in, where it is used; those with the right may change it."""
    segment = get_object_or_404(Segment, pk=pk)
    if request.method == "POST":
        return _take_segment(request, segment)
    rule = read_gently(segment.rule).rule
    return _render_form(request, segment, SegmentForm(instance=segment), lay_out_blocks(rule), rule=rule)


@require_POST
@permission_required("customers.view_segment", raise_exception=True)
def preview_segment(request: HttpRequest) -> HttpResponse:
    """The live count and sample of the rows as they stand; a fragment for htmx."""
    rule, _checked = check_blocks(read_blocks(request.POST))
    return render(request, "customers/_segment_preview.html", _preview(rule))


def _take_segment(request: HttpRequest, segment: Segment | None) -> HttpResponse:
    blocks = read_blocks(request.POST)
    action = request.POST.get("action", "save")
    form = SegmentForm(request.POST, instance=segment)
    if action != "save":
        # Rows are still being written: what was typed stays, and nothing is judged before it is saved.
        form = SegmentForm(instance=segment, initial={name: request.POST.get(name, "") for name in form.fields})
        return _render_form(request, segment, form, apply_action(blocks, action))
    rule, blocks = check_blocks(blocks)
    if rule is None or not form.is_valid():
        return _render_form(request, segment, form, blocks, status=422)
    assert isinstance(request.user, User)
    saved = save_segment(
        request.user,
        name=form.cleaned_data["name"],
        description=form.cleaned_data["description"],
        rule=build_tree(blocks),
        now=timezone.now(),
        segment=segment,
    )
    messages.success(request, _("“%(name)s” is saved.") % {"name": saved.name})
    return redirect("customers:segment", saved.pk)


def _render_form(
    request: HttpRequest,
    segment: Segment | None,
    form: SegmentForm,
    blocks: Blocks | None,
    *,
    rule: Group | None = None,
    status: int = 200,
) -> HttpResponse:
    if rule is None and blocks is not None:
        rule, _checked = check_blocks(blocks)
    right = "customers.change_segment" if segment else "customers.add_segment"
    context: dict[str, Any] = {
        "segment": segment,
        "form": form,
        "blocks": blocks,
        "questions": _list_questions(),
        "with_category": [f"did:{name}" for name in WITH_CATEGORY],
        "suggestions": _list_suggestions(),
        "may_change": request.user.has_perm(right),
        "used_in": segment.campaigns.all()[:20] if segment else [],
    }
    return render(request, "customers/segment.html", context | _preview(rule), status=status)


def _preview(rule: Group | None) -> dict[str, Any]:
    if rule is None:
        return {"sentence": "", "size": None, "sample": [], "total": Customer.objects.count()}
    as_of = read_shop_clock(timezone.now())
    told = tell_rule(dump_rule(rule), as_of=as_of)
    return {
        "sentence": told.sentence,
        "size": told.size,
        "faults": told.faults,
        "warnings": [finding.sentence for finding in check_rule(rule, as_of=as_of) if not finding.is_fault],
        "sample": sample_matching(rule, as_of=as_of) if told.size else [],
        "total": Customer.objects.count(),
    }


def _start_blocks(request: HttpRequest) -> Blocks:
    with contextlib.suppress(RuleError, ValueError, RecursionError):  # somebody's own address: begin as usual
        if blocks := lay_out_blocks(parse_rule(json.loads(request.GET.get("rule", "")))):
            return blocks
    low, high = request.GET.get("from", "60"), request.GET.get("to", "")
    if high.isdecimal() and low.isdecimal() and int(high) < 100:
        return [[Row(what="churn_probability", op="between", value=low, value2=high)]]
    return [[Row(what="churn_probability", op="gte", value=low if low.isdecimal() else "60")]]


def _list_questions() -> list[tuple[str, list[tuple[str, str]]]]:
    """The choices of a row, by family."""
    families: dict[str, list[tuple[str, str]]] = {}
    for field in (field for field in FIELDS.values() if field.kind != "date"):
        families.setdefault(str(FAMILY_LABELS[field.family]), []).append((field.key, str(FIELD_LABELS[field.key])))
    families[str(FAMILY_LABELS["behaviour"])] = [
        (f"did:{key}", str(label)) for key, label in BEHAVIOUR_LABELS.items() if key != "custom"
    ]
    return list(families.items())


def _list_suggestions() -> dict[str, list[str]]:
    """Values that exist in this shop, for the text questions."""
    countries = Customer.objects.exclude(country="").order_by("country").values_list("country", flat=True).distinct()
    categories = Product.objects.exclude(category="").order_by("category").values_list("category", flat=True).distinct()
    brands = Product.objects.exclude(brand="").order_by("brand").values_list("brand", flat=True).distinct()
    interests = Score.objects.exclude(interest="").order_by("interest").values_list("interest", flat=True).distinct()
    return {
        "country": list(countries[:100]),
        "category": list(categories[:100]),
        "interest": list(interests[:100]),
        "language": ["en", "zh"],
        "main_reason": list(THEMES),
        "interested_in": list(categories[:100]),
        "likes_brand": list(brands[:100]),
        "price_level": list(PRICE_LABELS),
        "writes_about": list(list_topics(categories[:100])),
    }
