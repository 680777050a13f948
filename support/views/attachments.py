"""A file that a customer sent: to staff who may, to be saved, never to be shown by the browser."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from customers.models import AuditAction, record_audit
from customers.models.kept_files import find_file
from customers.views.access import current_user
from support.models import Attachment


@never_cache
@require_safe
@permission_required("support.view_attachment", raise_exception=True)
def download(request: HttpRequest, pk: int) -> FileResponse:
    """The file as an attachment, named as its content is; 404 for one that is not kept."""
    row = get_object_or_404(Attachment.objects.exclude(stored_as=""), pk=pk)
    path = find_file(row.stored_as)
    if path is None:
        raise Http404
    if request.method == "GET":
        record_audit(AuditAction.EXPORTED, actor=current_user(request), about=("attachment", row.pk), rows=1)
    response = FileResponse(
        path.open("rb"),
        as_attachment=True,
        filename=row.file_name,
        content_type=row.content_type or "application/octet-stream",
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
