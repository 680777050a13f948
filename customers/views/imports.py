"""Files of orders, customers, products, events and consents: give one, watch it, read what was left out and why."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.forms.import_words import KIND_WORDS
from customers.forms.imports import ColumnsForm, UploadForm, kept_choices, known_values, start_choices, words_of
from customers.ingest.cleaning import REASONS
from customers.ingest.preview import ReadRecord, Sample, read_outlook, read_sample
from customers.ingest.progress import RunIsTaken
from customers.ingest.resuming.fates import read_fates, read_left_out
from customers.ingest.runs import (
    can_resume,
    cancel_import,
    drop_file,
    receive_file,
    request_import,
    resume_import,
)
from customers.ingest.schema import ENCODINGS, ORDERS, FileProblem
from customers.ingest.uploads import find_kept_file
from customers.models import ImportRejection, ImportRun
from customers.tasks import import_file
from customers.views.privacy import read_user
from customers.views.spreadsheets import Echo, defuse, record_export

PAGE_SIZE = 25
SHOWN_REJECTIONS = 10
#: Rows of a download that are written at once.
STREAMED_ROWS: Final = 2_000
#: What it means that lines were left out for this reason, and what can be done.
ADVICE: Final = {
    "bad_letters": gettext_lazy(
        "Mend these lines where they come from, and give the file again: the others change nothing."
    ),
    "missing_customer": gettext_lazy("Bought without an account, mostly: nothing can be learned of whom nobody knows."),
    "duplicate_line": gettext_lazy("Such a line was taken over once."),
    "bad_date": gettext_lazy("Look at the column for day and time, and at the order of day and month."),
    "date_in_future": gettext_lazy("Look at the time zone, and at the order of day and month."),
    "bad_quantity": gettext_lazy("Look at the column for pieces."),
    "bad_price": gettext_lazy("Look at the column for the price or the amount."),
    "negative_price": gettext_lazy("What came back is a line with less than 0 pieces, at its full price."),
    "erased": gettext_lazy("Who was erased does not come back with a file. What the lines said is not kept."),
    "unknown_customer": gettext_lazy("Import the customers first; the shop's id has to be the same."),
    "said_no": gettext_lazy(
        "Only the person can take a no back, or renew what lapsed: by a form, the preference centre, or a confirmation mail."
    ),
    "other_customer": gettext_lazy("One order number stood for two customers; the one named first kept it."),
}


@dataclass(frozen=True)
class LeftOut:
    """The lines that were left out for one reason: how many, which share of all lines (0 to 1), and the first of them."""

    label: str | Promise
    advice: str | Promise
    count: int
    share: float | None
    lines: QuerySet[ImportRejection]  # asked for by the page that shows them


@require_safe
@permission_required("customers.view_importrun", raise_exception=True)
def list_imports(request: HttpRequest) -> HttpResponse:
    """Every import, newest first."""
    runs = ImportRun.objects.select_related("requested_by")
    page = Paginator(runs, PAGE_SIZE).get_page(request.GET.get("page"))
    for run in page:
        run.kind_label = str(KIND_WORDS[run.options.get("kind", ORDERS)].label)
    return render(request, "customers/imports.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("customers.add_importrun", raise_exception=True)
def create_import(request: HttpRequest) -> HttpResponse:
    """Take a file, and go on to its columns; a fault of the file is told at the field and nothing is kept."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method != "POST":
        return render(request, "customers/import_new.html", {"form": form, "kinds": KIND_WORDS.items()})
    if form.is_valid():
        try:
            kind = form.cleaned_data["kind"] or ORDERS
            run = receive_file(read_user(request), form.cleaned_data["file"], timezone.now(), kind=kind)
            return redirect("customers:import-columns", run.pk)
        except FileProblem as problem:
            form.add_error("file", str(problem))
    return render(request, "customers/import_new.html", {"form": form, "kinds": KIND_WORDS.items()}, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("customers.add_importrun", raise_exception=True)
def choose_columns(request: HttpRequest, pk: int) -> HttpResponse:
    """Which column is what, beside the first rows; then the run is put in the queue.

    `action` is count (say what an import would do, and do nothing), import, refresh (the page again, read with the choices
    made) or drop. htmx asks only for the reading.
    """
    run = get_object_or_404(ImportRun, pk=pk)
    if run.status != ImportRun.Status.CHOOSING:
        return redirect("customers:import", run.pk)
    action = request.POST.get("action", "refresh")
    if action == "drop":
        drop_file(read_user(request), run)
        messages.success(request, _("“%(name)s” is forgotten; nothing was imported.") % {"name": run.file_name})
        return redirect("customers:imports")
    try:
        sample, encoding_error = _read_kept_sample(run, request.POST.get("encoding", ""))
    except FileProblem as problem:
        messages.error(request, str(problem))
        return redirect("customers:import-new")
    kind = run.options.get("kind", ORDERS)
    start = kept_choices(run.options) if run.options.get("columns") else start_choices(sample, kind)
    form = ColumnsForm(request.POST if request.POST else start, sample=sample, kind=kind)
    form.full_clean()
    if encoding_error:
        form.add_error("encoding", encoding_error)
    is_asked = action in ("import", "count")
    if is_asked and form.is_valid():
        try:
            request_import(read_user(request), run, form.to_options(), is_trial=action == "count")
        except FileProblem as problem:
            form.add_error(None, str(problem))
        except RunIsTaken:
            return redirect("customers:import", run.pk)
        else:
            transaction.on_commit(lambda: import_file.delay(run.pk))
            return redirect("customers:import", run.pk)
    return _show_columns(request, run, form, is_refused=is_asked)


@require_safe
@permission_required("customers.view_importrun", raise_exception=True)
def show_import(request: HttpRequest, pk: int) -> HttpResponse:
    """One import: its progress while it runs, then what it did. htmx polls only the progress; once a count is through, the whole
    page goes on to the columns, because a redirect would put only the part that htmx is given there in place of the progress."""
    run = get_object_or_404(ImportRun, pk=pk)
    is_poll = bool(request.headers.get("HX-Request"))
    if run.status == ImportRun.Status.CHOOSING and request.user.has_perm("customers.add_importrun"):
        if is_poll:
            return HttpResponse(
                headers={"HX-Redirect": reverse("customers:import-columns", args=[run.pk]) + "#reading"}
            )
        return redirect("customers:import-columns", run.pk)
    left_out, columns = list_left_out(run), run.options.get("columns", {})
    kind = run.options.get("kind", ORDERS)
    context = {
        "run": run,
        "is_open": run.status in {ImportRun.Status.WAITING, ImportRun.Status.RUNNING},
        "is_stopped": run.status in {ImportRun.Status.FAILED, ImportRun.Status.CANCELLED},
        "can_resume": can_resume(run),
        "left_out": left_out,
        "has_lines": run.fates.exists(),
        "left_out_lines": sum(reason.count for reason in left_out),
        "columns": [(words.label, columns[key]) for key, words in words_of(kind).items() if columns.get(key)],
        "kind": kind,
        "kind_label": KIND_WORDS[kind].label,
    }
    return render(request, "customers/_import_progress.html" if is_poll else "customers/import.html", context)


@require_POST
@permission_required("customers.add_importrun", raise_exception=True)
def stop_import(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel an import that waits or runs; one that is over by now is shown as it is."""
    run = get_object_or_404(ImportRun, pk=pk)
    try:
        cancel_import(read_user(request), run)
    except RunIsTaken:
        messages.info(request, _("It was over already."))
    return redirect("customers:import", run.pk)


@require_POST
@permission_required("customers.add_importrun", raise_exception=True)
def go_on_with_import(request: HttpRequest, pk: int) -> HttpResponse:
    """Have an import that failed or was cancelled go on where it stopped."""
    run = get_object_or_404(ImportRun, pk=pk)
    try:
        resume_import(read_user(request), run)
    except FileProblem as problem:
        messages.error(request, str(problem))
    except RunIsTaken:
        messages.info(request, _("It goes on already, or is through."))
    else:
        transaction.on_commit(lambda: import_file.delay(run.pk))
    return redirect("customers:import", run.pk)


def list_left_out(run: ImportRun) -> list[LeftOut]:
    """Why lines were left out, the most frequent reason first, each with its first lines."""
    total = run.report.get("lines_read") or 0
    is_orders = run.options.get("kind", ORDERS) == ORDERS
    counted = sorted(run.report.get("left_out", {}).items(), key=lambda item: -item[1])
    return [
        LeftOut(
            label=REASONS.get(reason, reason),
            advice=ADVICE.get(reason, "") if reason != "missing_customer" or is_orders else "",
            count=number,
            share=number / total if total else None,
            lines=run.rejections.filter(reason=reason).order_by("line_number")[:SHOWN_REJECTIONS],
        )
        for reason, number in counted
    ]


@require_safe
@permission_required("customers.view_importrejection", raise_exception=True)
def download_rejections(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Every left-out line with its reason as CSV."""
    run = get_object_or_404(ImportRun, pk=pk)
    record_export(request, "import", run.pk)
    rows = ((line, reason, content) for line, _outcome, reason, content in read_left_out(run))
    return _stream(("line", "reason", "content"), rows, f"left-out-{run.pk}.csv")


@require_safe
@permission_required("customers.view_importrejection", raise_exception=True)
def download_lines(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Every line of the file, by its number there, with what became of it as CSV: created, updated, unchanged or left_out."""
    run = get_object_or_404(ImportRun, pk=pk)
    record_export(request, "import", run.pk)
    return _stream(("line", "outcome", "reason", "content"), read_fates(run), f"lines-{run.pk}.csv")


def _stream(header: Sequence[str], rows: Iterable[tuple[int | str, ...]], name: str) -> StreamingHttpResponse:
    """The rows as a file, some thousand at a time; what a spreadsheet would run as a formula is defused."""
    writer = csv.writer(Echo())

    def parts() -> Iterator[str]:
        yield writer.writerow(header)
        told = (writer.writerow([defuse(v) if isinstance(v, str) else v for v in row]) for row in rows)
        while some := "".join(islice(told, STREAMED_ROWS)):
            yield some

    response = StreamingHttpResponse(parts(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _read_kept_sample(run: ImportRun, encoding: str) -> tuple[Sample, str]:
    """The first rows in this encoding; where they are not in it, as they were found, with what is wrong."""
    path = find_kept_file(run)
    if encoding in ENCODINGS:
        try:
            return read_sample(path, encoding=encoding), ""
        except FileProblem as problem:
            return read_sample(path), str(problem)
    return read_sample(path), ""


def _show_columns(request: HttpRequest, run: ImportRun, form: ColumnsForm, *, is_refused: bool) -> HttpResponse:
    """The page, or for htmx its reading alone. Errors are shown where an import was asked for, and after it."""
    sample, outlook = form.sample, None
    if form.is_valid():
        with suppress(FileProblem):
            outlook = read_outlook(sample, form.to_options(), now=timezone.now())
    words = words_of(form.kind)
    labels = [words[name].label for name in outlook.fields] if outlook else []
    rows = outlook.rows if outlook else ()
    chosen: dict[str, list[str | Promise]] = {}
    for key, column in form.chosen_columns().items():
        chosen.setdefault(column, []).append(words[key].label)
    is_counted = bool(run.report) and form.is_valid() and form.to_options().to_json() == run.options
    context = {
        "run": run,
        "form": form if is_refused else form.without_errors(),
        "columns": [(title, chosen.get(title, [])) for title in sample.header],
        "rows": sample.rows,
        "kind_label": KIND_WORDS[form.kind].label,
        "fields": labels,
        "records": [(row, list(zip(labels, row.values, strict=False))) for row in rows if isinstance(row, ReadRecord)],
        "counted": run.report if is_counted else None,
        "counted_left": sum(run.report.get("left_out", {}).values()) if is_counted else 0,
        "counted_reasons": list_left_out(run) if is_counted else [],
        "has_lines": is_counted and run.fates.exists(),
        "outlook": outlook,
        "left_out": [(REASONS[reason], number) for reason, number in outlook.left_out.most_common()] if outlook else [],
        "missing": [str(form.fields[name].label) for name in form.errors if name.startswith("column_")],
        "known_values": known_values(),
        "recognised": len(chosen),
    }
    is_reading = bool(request.headers.get("HX-Request"))
    template = "customers/_import_reading.html" if is_reading else "customers/import_columns.html"
    return render(request, template, context, status=422 if is_refused else 200)
