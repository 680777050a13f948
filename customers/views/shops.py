"""Connected shops: connect one step by step, watch it, and see what was refused and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.forms.shops import KeysForm, ShopForm
from customers.ingest.shops import doors, filling, shopify_api, woocommerce_api
from customers.ingest.shops.deliveries import apply_delivery
from customers.ingest.shops.keys import keep_keys
from customers.ingest.shops.reasons import explain, explain_trouble
from customers.models import AuditAction, ShopConnection, ShopDelivery, record_audit
from customers.privacy.shops import answer_shop
from customers.tasks import fill_shop

PAGE_SIZE = 25
STEPS = ("keys", "test", "hooks", "fill")


@dataclass(frozen=True)
class StageLine:
    """How far one kind of thing is in the back-fill. `total` None: the shop does not say how many there are."""

    label: str
    done: int
    total: int | None
    state: str


@require_safe
@permission_required("customers.view_shopconnection", raise_exception=True)
def list_shops(request: HttpRequest) -> HttpResponse:
    """Every connected shop, and how it is."""
    return render(request, "customers/shops.html", {"shops": ShopConnection.objects.all()})


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("customers.add_shopconnection", raise_exception=True)
def create_shop(request: HttpRequest) -> HttpResponse:
    """The first step: which shop it is."""
    form = ShopForm(request.POST or None, initial={"kind": ShopConnection.Kind.SHOPIFY})
    if request.method == "POST" and form.is_valid():
        shop = form.to_connection()
        shop.created_by_id = request.user.pk
        with transaction.atomic():
            shop.save()
            record_audit(AuditAction.SHOP_CONNECTED, actor=request.user, about=("shop", shop.pk), kind=shop.kind)
        return redirect("customers:shop", shop.pk)
    return render(request, "customers/shop_new.html", {"form": form}, status=422 if request.method == "POST" else 200)


@require_safe
@permission_required("customers.view_shopconnection", raise_exception=True)
def show_shop(request: HttpRequest, pk: int) -> HttpResponse:
    """One shop: the steps of connecting it, the back-fill, and its webhooks. htmx polls only the back-fill."""
    shop = get_object_or_404(ShopConnection, pk=pk)
    if request.headers.get("HX-Request"):
        return render(request, "customers/_shop_fill.html", _describe_fill(shop))
    return _show(request, shop, KeysForm(connection=shop))


@require_POST
@permission_required("customers.change_shopconnection", raise_exception=True)
def save_keys(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the keys, encrypted, and try them at once."""
    shop = _find(pk)
    form = KeysForm(request.POST, connection=shop)
    if not form.is_valid():
        return _show(request, shop, form, status=422)
    keep_keys(shop, form.to_keys())
    with transaction.atomic():
        shop.save(update_fields=["sealed_keys"])
        record_audit(AuditAction.SHOP_KEYS_CHANGED, actor=request.user, about=("shop", shop.pk))
    return _try(request, shop)


@require_POST
@permission_required("customers.change_shopconnection", raise_exception=True)
def try_shop(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the shop who it is."""
    return _try(request, _find(pk))


@require_POST
@permission_required("customers.change_shopconnection", raise_exception=True)
def make_hooks(request: HttpRequest, pk: int) -> HttpResponse:
    """Have the shop make the webhooks that are missing."""
    shop = _find(pk)
    made = doors.make_hooks(shop, now=timezone.now())
    if made is None:
        messages.error(request, explain_trouble(shop.hooks_error))
    else:
        record_audit(AuditAction.SHOP_HOOKS_MADE, actor=request.user, about=("shop", shop.pk), made=len(made))
        messages.success(request, _("The shop makes its webhooks: %(count)d were missing.") % {"count": len(made)})
    return redirect("customers:shop", shop.pk)


@require_POST
@permission_required("customers.change_shopconnection", raise_exception=True)
def change_fill(request: HttpRequest, pk: int) -> HttpResponse:
    """`action` is begin, pause or resume."""
    shop, action, now = _find(pk), request.POST.get("action", ""), timezone.now()
    with transaction.atomic():
        is_changed = {
            "begin": lambda: filling.begin_fill(shop, now=now),
            "pause": lambda: filling.pause_fill(shop),
            "resume": lambda: filling.resume_fill(shop),
        }.get(action, lambda: False)()
        if is_changed:
            record_audit(AuditAction.SHOP_FILL_CHANGED, actor=request.user, about=("shop", shop.pk), change=action)
    if not is_changed:
        messages.warning(request, _("The back-fill was in another state already."))
    elif action != "pause":
        transaction.on_commit(lambda: fill_shop.delay(shop.pk))
    return redirect("customers:shop", shop.pk)


@require_POST
@permission_required("customers.change_shopconnection", raise_exception=True)
def retry_delivery(request: HttpRequest, pk: int, delivery: int) -> HttpResponse:
    """Apply a webhook that failed once more, now."""
    shop = _find(pk)
    row = get_object_or_404(ShopDelivery, pk=delivery, connection=shop, status=ShopDelivery.Status.FAILED)
    record_audit(AuditAction.SHOP_DELIVERY_RETRIED, actor=request.user, about=("shop", shop.pk), delivery=row.pk)
    if apply_delivery(row.pk, now=timezone.now(), answer=answer_shop):
        messages.success(request, _("Applied."))
    else:
        row.refresh_from_db()
        messages.error(request, explain(row))
    return redirect("customers:shop", shop.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("customers.change_shopconnection", raise_exception=True)
def end_shop(request: HttpRequest, pk: int) -> HttpResponse:
    """Disconnect: nothing is taken any more and the keys are forgotten; what came in stays."""
    shop = _find(pk)
    if request.method != "POST":
        return render(request, "customers/shop_end.html", {"shop": shop})
    filling.pause_fill(shop)
    with transaction.atomic():
        ShopConnection.objects.filter(pk=shop.pk).update(
            status=ShopConnection.Status.ENDED, sealed_keys="", catch_up_from=None
        )
        record_audit(AuditAction.SHOP_ENDED, actor=request.user, about=("shop", shop.pk))
    messages.success(request, _("“%(name)s” is disconnected and its keys are forgotten.") % {"name": shop.name})
    return redirect("customers:shops")


def _find(pk: int) -> ShopConnection:
    return get_object_or_404(ShopConnection.objects.exclude(status=ShopConnection.Status.ENDED), pk=pk)


def _try(request: HttpRequest, shop: ShopConnection) -> HttpResponse:
    found = doors.try_shop(shop, now=timezone.now())
    if found is None:
        messages.error(request, explain_trouble(shop.test_error))
    else:
        record_audit(AuditAction.SHOP_CHANGED, actor=request.user, about=("shop", shop.pk), tested=True)
        said = {"name": found.name or shop.name, "currency": found.currency}
        messages.success(request, _("The shop answers: it is “%(name)s” and sells in %(currency)s.") % said)
    return redirect("customers:shop", shop.pk)


def _show(request: HttpRequest, shop: ShopConnection, form: KeysForm, status: int = 200) -> HttpResponse:
    shown = request.GET.get("webhooks", "")
    deliveries = shop.deliveries.defer("body")
    if shown in {ShopDelivery.Status.FAILED, ShopDelivery.Status.REFUSED}:
        deliveries = deliveries.filter(status=shown)
    page = Paginator(deliveries, PAGE_SIZE).get_page(request.GET.get("page"))
    is_woo = shop.kind == ShopConnection.Kind.WOOCOMMERCE
    done = _steps_done(shop)
    context = {
        "form": form,
        "page": page,
        "rows": [(row, explain(row)) for row in page],
        "shown": shown,
        "waiting": shop.deliveries.filter(status__in=["waiting", "failed"]).count(),
        "hook_url": doors.hook_url(shop),
        "topics": woocommerce_api.HOOK_TOPICS if is_woo else [_plain_topic(one) for one in shopify_api.HOOK_TOPICS],
        "is_woo": is_woo,
        "done": done,
        "step": next((step for step in STEPS if step not in done), ""),
        "test_error": explain_trouble(shop.test_error),
        "hooks_error": explain_trouble(shop.hooks_error),
        **_describe_fill(shop),
    }
    return render(request, "customers/shop.html", context, status=status)


def _steps_done(shop: ShopConnection) -> list[str]:
    is_tested = bool(shop.tested_at) and not shop.test_error
    facts = {
        "keys": shop.has_keys,
        "test": is_tested,
        "hooks": bool(shop.hooks_made_at or shop.last_hook_at),
        "fill": shop.filled_at is not None,
    }
    return [step for step in STEPS if facts[step]]


def _plain_topic(name: str) -> str:
    """orders/create of ORDERS_CREATE."""
    resource, _mark, event = name.lower().rpartition("_")
    return f"{resource}/{event}"


def _describe_fill(shop: ShopConnection) -> dict[str, Any]:
    return {
        "shop": shop,
        "stages": _list_stages(shop),
        "fill_error": explain_trouble(shop.fill_error),
        "is_resting": bool(shop.is_filling and shop.fill_next_at and shop.fill_next_at > timezone.now()),
    }


def _list_stages(shop: ShopConnection) -> Sequence[StageLine]:
    labels = {"customers": _("Customers"), "products": _("Products"), "orders": _("Orders")}
    here = filling.STAGES.index(shop.fill_stage) if shop.fill_stage in filling.STAGES else 0
    lines = []
    for place, stage in enumerate(filling.STAGES):
        is_over = shop.fill_status == ShopConnection.Fill.DONE or place < here
        done, total = int(shop.fill_counts.get(stage, 0)), shop.fill_totals.get(stage)
        state = "done" if is_over else "now" if place == here else "later"
        lines.append(StageLine(labels[stage], done, total, state))
    return lines
