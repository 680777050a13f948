"""Mounts the REST API v1 and says what errors look like."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import exception_handler

from campaigns.models import TransitionConflict

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("customers.api.urls")),
    path("", include("campaigns.api.urls")),
    path("schema/", SpectacularAPIView.as_view(permission_classes=[IsAuthenticated]), name="api-schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api-schema", permission_classes=[IsAuthenticated]), name="api-docs"),
]


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """A lost race is 409 with its sentence; the rest is as DRF does it."""
    if isinstance(error, TransitionConflict):
        return Response({"detail": str(error)}, status=409)
    return exception_handler(error, context)
