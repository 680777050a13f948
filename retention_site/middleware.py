"""What every request passes: probes, an id for the logs, the content security policy, and errors of the workflow."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from http import HTTPStatus

import structlog
from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import is_valid_path
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.models import TransitionConflict
from retention_site import health
from support.models import TicketConflict

GetResponse = Callable[[HttpRequest], HttpResponse]

#: The admin's own scripts (Alpine in django-unfold) evaluate expressions; our pages never do.
ADMIN_POLICY = {
    "script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE],
    "style-src": [SELF, UNSAFE_INLINE],
}
DOCS_POLICY = {"script-src": [SELF, UNSAFE_INLINE], "style-src": [SELF, UNSAFE_INLINE]}


class ProbeMiddleware:
    """Answers health probes before anything looks at the host: balancers, containers and our own supervisor come to the
    machine's address, whatever ALLOWED_HOSTS says."""

    PROBES = {"/healthz": health.alive, "/readyz": health.ready}

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = self.PROBES.get(request.path_info)
        return probe(request) if probe is not None else self.get_response(request)


class RequestIdMiddleware:
    """Binds an id to all log lines of a request and returns it as X-Request-ID."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        structlog.contextvars.clear_contextvars()
        request_id = uuid.uuid4().hex[:12]
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """django-csp, with a wider policy for the admin and the API's own documentation page only."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request=request, response=response, report_only=report_only)
        if request.path_info.startswith("/admin/"):
            parts.replace = ADMIN_POLICY
        elif request.path_info.startswith("/api/v1/docs"):
            parts.replace = DOCS_POLICY
        return parts


class ShopTimeMiddleware:
    """Pages tell times as the shop's clock shows them (SHOP_TIME_ZONE); the API goes on speaking UTC."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/api/"):
            return self.get_response(request)
        with timezone.override(settings.SHOP_TIME_ZONE):
            return self.get_response(request)


class WorkflowErrorMiddleware:
    """Turns a lost race or a refused change of state into a page that says so (409), never a traceback."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, TransitionConflict | TicketConflict):
            return None
        messages.warning(request, str(exception) or _("Somebody else was first. Reload the page and look again."))
        return render(request, "409.html", {"reason": str(exception)}, status=409)


class FormAddressMiddleware:
    """An address that only takes what a form sends, opened by itself (another language chosen after an error, a bookmark, a
    reload): the page that it belongs to, the nearest one above it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_page = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        if (
            response.status_code != HTTPStatus.METHOD_NOT_ALLOWED
            or not is_page
            or request.path_info.startswith("/api/")
        ):
            return response
        return redirect(_find_page_above(request.path_info))


def _find_page_above(path: str) -> str:
    parts = path.strip("/").split("/")
    for length in range(len(parts) - 1, 0, -1):
        above = "/".join(("", *parts[:length], ""))
        if is_valid_path(above):
            return above
    return "/"
