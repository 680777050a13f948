"""Mounts the REST API v1 and says what errors look like."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, URLResolver, include, path
from django.utils.translation import gettext as _
from django.views.defaults import page_not_found
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import exception_handler

from campaigns.models import TransitionConflict
from customers.api.problems import describe_problem
from support.models import TicketConflict

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("customers.api.urls")),
    path("", include("campaigns.api.urls")),
    path("", include("support.api.urls")),
    path("schema/", SpectacularAPIView.as_view(permission_classes=[IsAuthenticated]), name="api-schema"),
    path(
        "docs/",
        SpectacularSwaggerView.as_view(url_name="api-schema", permission_classes=[IsAuthenticated]),
        name="api-docs",
    ),
]


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """A lost race is 409 with its sentence, a wrong request 400 with the path of each fault; the rest is as DRF does it."""
    if isinstance(error, TransitionConflict | TicketConflict):
        return Response({"detail": str(error)}, status=409)
    if isinstance(error, RequestDataTooBig):
        return Response({"detail": _("The request is too large. Send fewer items at a time.")}, status=413)
    response = exception_handler(error, context)
    if response is not None and isinstance(error, ValidationError):
        response.data = describe_problem(error)
    return response


def say_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Programs are told in JSON that an address of the API does not exist; people get the page."""
    if request.path_info.startswith(("/api/v1/", "/v1/")):
        return JsonResponse({"detail": _("There is nothing at this address.")}, status=404)
    return page_not_found(request, exception)
