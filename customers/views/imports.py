"""Files of orders: give one, watch it, read what was left out and why."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from customers.forms import ImportForm
from customers.ingest.cleaning import REASONS
from customers.ingest.reading import open_table
from customers.ingest.runs import keep_upload, request_import
from customers.ingest.schema import FileProblem, ImportOptions, guess_columns, parse_columns
from customers.models import ImportRejection, ImportRun
from customers.tasks import import_file

PAGE_SIZE = 25
SHOWN_REJECTIONS = 50


@require_safe
@permission_required("customers.view_importrun", raise_exception=True)
def list_imports(request: HttpRequest) -> HttpResponse:
    """Every import, newest first."""
    runs = ImportRun.objects.select_related("requested_by")
    page = Paginator(runs, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "customers/imports.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("customers.add_importrun", raise_exception=True)
def create_import(request: HttpRequest) -> HttpResponse:
    """Take a file and put it in the queue; a fault of the file is told at the field and nothing is kept."""
    if request.method != "POST":
        return render(request, "customers/import_new.html", {"form": ImportForm()})
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "customers/import_new.html", {"form": form}, status=422)
    if not isinstance(request.user, User):
        raise PermissionDenied
    uploaded = form.cleaned_data["file"]
    header: list[str] = []
    try:
        header += _read_header(uploaded)
        run = request_import(request.user, uploaded, _read_options(form, header), timezone.now())
    except FileProblem as problem:
        form.add_error("columns" if header else "file", str(problem))
        return render(request, "customers/import_new.html", {"form": form, "header": header}, status=422)
    transaction.on_commit(lambda: import_file.delay(run.pk))
    return redirect("customers:import", run.pk)


@require_safe
@permission_required("customers.view_importrun", raise_exception=True)
def show_import(request: HttpRequest, pk: int) -> HttpResponse:
    """One import: its progress while it runs, then what it did. htmx polls only the progress."""
    run = get_object_or_404(ImportRun, pk=pk)
    rejections = list(run.rejections.order_by("line_number")[:SHOWN_REJECTIONS])
    for rejection in rejections:
        rejection.reason = str(REASONS.get(rejection.reason, rejection.reason))
    context = {
        "run": run,
        "is_open": run.status in {ImportRun.Status.WAITING, ImportRun.Status.RUNNING},
        "rejections": rejections,
        "left_out": [
            (REASONS.get(reason, reason), number)
            for reason, number in sorted(run.report.get("left_out", {}).items(), key=lambda item: -item[1])
        ],
    }
    is_poll = bool(request.headers.get("HX-Request"))
    return render(request, "customers/_import_progress.html" if is_poll else "customers/import.html", context)


@require_safe
@permission_required("customers.view_importrejection", raise_exception=True)
def download_rejections(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Every left-out line with its reason as CSV; what a spreadsheet would run as a formula is defused."""
    run = get_object_or_404(ImportRun, pk=pk)
    writer = csv.writer(_Echo())
    rows = ImportRejection.objects.filter(run=run).order_by("line_number")

    def lines() -> Iterator[str]:
        yield writer.writerow(["line", "reason", "content"])
        for rejection in rows.iterator(chunk_size=2000):
            yield writer.writerow([rejection.line_number, rejection.reason, _defuse(rejection.content)])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="left-out-{run.pk}.csv"'
    return response


class _Echo:
    """A file for csv.writer that hands each line back."""

    def write(self, line: str) -> str:
        return line


def _read_header(uploaded: UploadedFile[Any]) -> list[str]:
    """The names of the file's columns. Raises FileProblem where it is no table."""
    path = keep_upload(uploaded)
    try:
        return list(open_table(Path(path)).header)
    finally:
        path.unlink(missing_ok=True)
        uploaded.seek(0)


def _read_options(form: ImportForm, header: list[str]) -> ImportOptions:
    """The choices; columns that were not named are guessed from the file's header. Raises FileProblem."""
    named = parse_columns(form.cleaned_data["columns"]) if form.cleaned_data["columns"].strip() else {}
    return ImportOptions(
        columns=guess_columns(header) | named,
        currency=form.cleaned_data["currency"],
        time_zone=form.cleaned_data["time_zone"].strip(),
        test_contacts=form.cleaned_data["test_contacts"],
    )


def _defuse(text: str) -> str:
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
