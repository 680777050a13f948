"""REST: orders with their lines, by (source, external_id). An order is always given whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import django_filters
import polars as pl
from django.db.models import Prefetch
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.ingest.copying import UpsertCounts
from customers.ingest.identity import find_people
from customers.ingest.orders import GIVEN_LINE, GIVEN_ORDER, upsert_orders
from customers.models import Order, OrderLine, Product

from .fields import CurrencyField, KeyField, SourceField
from .moments import MomentField, MomentFilter
from .upserts import CountsSerializer, KeyedBulkView, KeyedItemView, KeyedListView, KeyedView, build_frame

MAX_LINES = 1_000
MAX_TOTAL = Decimal(10) ** 12
MAX_QUANTITY = 10**9
FUTURE_TOLERANCE = dt.timedelta(days=1)


def total_of(item: Mapping[str, Any]) -> Decimal:
    """The sum of an order's lines less its discount."""
    lines: Decimal = sum((line["quantity"] * line["unit_price"] for line in item["lines"]), Decimal(0))
    discount: Decimal = item.get("discount", Decimal(0))
    return (lines - discount).quantize(Decimal("0.01"))


class OrderLineSerializer(serializers.ModelSerializer[OrderLine]):
    """One line; what comes back has a negative quantity, never a negative price."""

    sku = KeyField(max_length=80, source="product.sku", required=False, allow_null=True)
    quantity = serializers.IntegerField(min_value=-MAX_QUANTITY, max_value=MAX_QUANTITY)
    unit_price = serializers.DecimalField(max_digits=14, decimal_places=4, min_value=Decimal(0))

    class Meta:
        model = OrderLine
        fields = ("position", "sku", "quantity", "unit_price")
        read_only_fields = ("position",)

    def validate_quantity(self, value: int) -> int:
        if value == 0:
            raise serializers.ValidationError(_("A line has at least one piece, or -1 where it came back."))
        return value


class OrderSerializer(serializers.ModelSerializer[Order]):
    """One order. `total` and `is_return` follow from the lines and the discount."""

    source = SourceField()  # type: ignore[assignment]
    external_id = KeyField()
    customer = KeyField(source="customer.external_id", help_text="The shop's id of the customer, of the same source.")
    ordered_at = MomentField()
    currency = CurrencyField()
    discount = serializers.DecimalField(max_digits=14, decimal_places=2, min_value=Decimal(0), required=False)
    lines = OrderLineSerializer(many=True, allow_empty=False, max_length=MAX_LINES)  # type: ignore[call-arg]

    class Meta:
        model = Order
        fields = (
            "id", "source", "external_id", "customer", "ordered_at", "currency", "total", "discount", "discount_code",
            "is_return", "lines", "created_at",
        )  # fmt: skip
        read_only_fields = ("total", "is_return", "created_at")
        validators: Sequence[Any] = ()

    def validate_ordered_at(self, value: dt.datetime) -> dt.datetime:
        if value > timezone.now() + FUTURE_TOLERANCE:
            raise serializers.ValidationError(_("An order cannot lie in the future."))
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if abs(total_of(attrs)) >= MAX_TOTAL:
            raise serializers.ValidationError({"lines": [_("The total is too large.")]})
        return attrs


class OrderFilter(django_filters.FilterSet):  # type: ignore[misc]
    """customer (our id), source, ordered_after, ordered_before, is_return."""

    customer = django_filters.NumberFilter(field_name="customer_id", min_value=1, max_value=2**63 - 1, decimal_places=0)
    ordered_after = MomentFilter(field_name="ordered_at", lookup_expr="gte")
    ordered_before = MomentFilter(field_name="ordered_at", lookup_expr="lt")

    class Meta:
        model = Order
        fields = ("source", "is_return")


class OrderWrites(KeyedView):
    """What list, item and bulk of orders share."""

    queryset = Order.objects.select_related("customer").prefetch_related(
        Prefetch("lines", OrderLine.objects.select_related("product").order_by("position"))
    )
    serializer_class = OrderSerializer

    def write(self, items: Sequence[Mapping[str, Any]]) -> UpsertCounts:
        _refuse_unknown(items)
        rows = [_order_row(item) for item in items]
        orders = _frame_of_all(rows, GIVEN_ORDER)
        lines = build_frame([line for item in items for line in _line_rows(item)], GIVEN_LINE)
        counts = upsert_orders(orders, lines)
        changed = counts.orders.updated or counts.lines.created + counts.lines.updated + counts.lines_removed
        if not counts.orders.created and changed and len(items) == 1:
            return UpsertCounts(updated=1)
        return counts.orders


@extend_schema_view(post=extend_schema(responses={200: OrderSerializer, 201: OrderSerializer}))
class OrderList(OrderWrites, KeyedListView):
    filterset_class = OrderFilter


@extend_schema_view(put=extend_schema(responses={200: OrderSerializer, 201: OrderSerializer}))
class OrderItem(OrderWrites, KeyedItemView):
    pass


class OrderBulk(OrderWrites, KeyedBulkView):
    @extend_schema(request=OrderSerializer(many=True), responses=CountsSerializer)
    def post(self, request: Request) -> Response:
        return super().post(request)


def _order_row(item: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: item[name] for name in ("source", "external_id", "ordered_at", "currency")}
    return {
        **plain,
        "customer": item["customer"]["external_id"],
        "total": total_of(item),
        "discount": item.get("discount", Decimal(0)),
        "discount_code": item.get("discount_code", ""),
        "is_return": all(line["quantity"] < 0 for line in item["lines"]),
    }


def _line_rows(item: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for position, line in enumerate(item["lines"], 1):
        yield {
            "source": item["source"],
            "order": item["external_id"],
            "position": position,
            "sku": _sku(line),
            "quantity": line["quantity"],
            "unit_price": line["unit_price"],
        }


def _frame_of_all(rows: Sequence[Mapping[str, Any]], types: Mapping[str, str]) -> pl.DataFrame:
    return build_frame(rows, {name: kind for name, kind in types.items() if name in rows[0]})


def _sku(line: Mapping[str, Any]) -> str | None:
    product = line.get("product")
    return product["sku"] if product else None


def _refuse_unknown(items: Sequence[Mapping[str, Any]]) -> None:
    """Name every order whose customer or article is not known yet, by its field."""
    people = {(item["source"], item["customer"]["external_id"]) for item in items}
    known_people = {
        (source, name)
        for source in {source for source, _name in people}
        for name in find_people(source, [name for other, name in people if other == source])
    }
    skus = {sku for item in items for line in item["lines"] if (sku := _sku(line)) is not None}
    known_skus = set(Product.objects.filter(sku__in=skus).values_list("sku", flat=True))
    faults: dict[int, dict[str, Any]] = {}
    for place, item in enumerate(items):
        if (item["source"], item["customer"]["external_id"]) not in known_people:
            faults.setdefault(place, {})["customer"] = [_("This customer is not known; create it first.")]
        lines = {
            number: {"sku": [_("This article is not known; create the product first.")]}
            for number, line in enumerate(item["lines"])
            if _sku(line) is not None and _sku(line) not in known_skus
        }
        if lines:
            faults.setdefault(place, {})["lines"] = lines
    if faults:
        raise serializers.ValidationError(faults[0] if len(items) == 1 else faults)  # type: ignore[arg-type]
