"""Every component of the design on one page, in development only."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def show_styleguide(request: HttpRequest) -> HttpResponse:
    return render(request, "styleguide.html")
