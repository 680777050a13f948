"""The canned answers: all of them, and one to be written or taken away."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.views.access import act_and_tell, current_user
from support.answers.canned import remove_canned, save_canned
from support.answers.slots import NAMES
from support.models import CannedAnswer


@require_safe
@permission_required("support.view_cannedanswer", raise_exception=True)
def list_canned(request: HttpRequest) -> HttpResponse:
    """All of them, by name."""
    may_edit = request.user.has_perm("support.change_cannedanswer")
    return render(request, "support/canned_list.html", {"canned": CannedAnswer.objects.all(), "may_edit": may_edit})


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("support.add_cannedanswer", raise_exception=True)
def edit_canned(request: HttpRequest, pk: int = 0) -> HttpResponse:
    """Write a new one (0) or another text of one."""
    canned = get_object_or_404(CannedAnswer, pk=pk) if pk else None
    told = {name: getattr(canned, name, "") for name in ("name", "language", "text")}
    errors: list[str] = []
    if request.method == "POST":
        told = {name: request.POST.get(name, "") for name in told}
        try:
            save_canned(current_user(request), told["name"], told["language"], told["text"], canned=canned)
        except ValidationError as error:
            errors = list(error.messages)
        else:
            return redirect("support:canned-list")
    context = {"canned": canned, "told": told, "errors": errors, "slots": [f"{{{name}}}" for name in NAMES]}
    return render(request, "support/canned.html", context, status=422 if errors else 200)


@require_POST
@permission_required("support.change_cannedanswer", raise_exception=True)
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    canned, user = get_object_or_404(CannedAnswer, pk=pk), current_user(request)
    act_and_tell(request, lambda: remove_canned(user, canned), _("Taken away."))
    return redirect("support:canned-list")
