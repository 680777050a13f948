"""What a person was told, and what they want to be told."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.approval.notices import find_page, tell_notification
from campaigns.forms import NotificationForm
from campaigns.models import Notification, NotificationChoice
from customers.views.access import current_user

PAGE_SIZE = 30


@require_safe
@permission_required("campaigns.view_campaign", raise_exception=True)
def list_notifications(request: HttpRequest) -> HttpResponse:
    """A person's own, the newest first."""
    found = Notification.objects.filter(user=current_user(request).pk).select_related("campaign", "transition__actor")
    page = Paginator(found.order_by("-created_at", "-pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [{"row": row, "sentence": tell_notification(row)} for row in page.object_list]
    unread = Notification.objects.unread_by(current_user(request).pk).count()
    return render(request, "campaigns/notifications.html", {"page": page, "rows": rows, "unread": unread})


@require_POST
@permission_required("campaigns.view_campaign", raise_exception=True)
def open_notification(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark it as read and go to the page on which to act. Another person's is not found."""
    row = get_object_or_404(Notification, pk=pk, user=current_user(request).pk)
    Notification.objects.filter(pk=row.pk, read_at=None).update(read_at=timezone.now())
    return redirect(find_page(row))


@require_POST
@permission_required("campaigns.view_campaign", raise_exception=True)
def mark_all_read(request: HttpRequest) -> HttpResponse:
    """Mark all of one's own as read; once more changes nothing."""
    Notification.objects.unread_by(current_user(request).pk).update(read_at=timezone.now())
    return redirect("campaigns:notifications")


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("campaigns.view_campaign", raise_exception=True)
def choose_notifications(request: HttpRequest) -> HttpResponse:
    """Which kinds, whether by mail, and in which language."""
    user = current_user(request)
    choice = NotificationChoice.objects.filter(user=user).first() or NotificationChoice(
        user=user, language=settings.LANGUAGE_CODE
    )
    form = NotificationForm(request.POST if request.method == "POST" else None, choice=choice)
    if request.method == "POST" and form.is_valid():
        NotificationChoice.objects.update_or_create(user=user, defaults=form.choices())
        messages.success(request, _("Kept. It counts from the next news on."))
        return redirect("campaigns:notification-choice")
    status = 422 if request.method == "POST" else 200
    return render(request, "campaigns/notification_choice.html", {"form": form, "has_address": bool(user.email)},
                  status=status)  # fmt: skip
