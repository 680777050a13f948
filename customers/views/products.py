"""The catalogue as texts are checked against it, and every version that a product had."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from customers.models import Product, ProductVersion

PAGE_SIZE = 50
#: What a version may differ in, with the template's word for it.
COMPARED = ("name", "category", "brand", "price", "currency", "stock", "url")


@require_safe
@permission_required("customers.view_product", raise_exception=True)
def list_products(request: HttpRequest) -> HttpResponse:
    """By number, name or category; what changed last comes first."""
    words, category = (
        request.GET.get("q", "").replace("\0", "").strip(),
        request.GET.get("category", "").replace("\0", ""),
    )
    found = Product.objects.order_by("-updated_at", "-pk")
    if words:
        found = found.filter(Q(sku__icontains=words) | Q(name__icontains=words) | Q(brand__icontains=words))
    if category:
        found = found.filter(category=category)
    known = Product.objects.exclude(category="").order_by("category").values_list("category", flat=True).distinct()
    context: dict[str, Any] = {
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "q": words,
        "category": category,
        "categories": known[:200],
    }
    return render(request, "customers/products.html", context)


@require_safe
@permission_required("customers.view_product", raise_exception=True)
def show_product(request: HttpRequest, pk: int) -> HttpResponse:
    """What it is now, and its versions, the newest first, each with what changed in it."""
    product = get_object_or_404(Product, pk=pk)
    versions = Paginator(ProductVersion.objects.filter(product=product).order_by("-number"), PAGE_SIZE)
    page = versions.get_page(request.GET.get("page"))
    rows = list(page.object_list)
    oldest = rows[-1].number if rows else 0
    before = ProductVersion.objects.filter(product=product, number__lt=oldest).order_by("-number").first()
    rows_before = [*rows[1:], before]
    context = {
        "product": product,
        "page": page,
        "versions": [(row, _compare(row, earlier)) for row, earlier in zip(rows, rows_before, strict=True)]
        if rows
        else [],
    }
    return render(request, "customers/product.html", context)


def _compare(row: ProductVersion, earlier: ProductVersion | None) -> set[str]:
    """The fields in which a version differs from the one before; none for the first."""
    if earlier is None:
        return set()
    return {name for name in COMPARED if getattr(row, name) != getattr(earlier, name)}
