"""REST: products, by sku."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.ingest.copying import UpsertCounts
from customers.ingest.products import PRODUCTS, upsert_products
from customers.models import Product

from .fields import CurrencyField, JSONObjectField, KeyField, WebAddressField
from .upserts import CountsSerializer, KeyedBulkView, KeyedItemView, KeyedListView, KeyedView, write_groups


class ProductSerializer(serializers.ModelSerializer[Product]):
    """One article. Fields that a request leaves out stay as they are; a change raises `version`."""

    sku = KeyField(max_length=80)
    price = serializers.DecimalField(
        max_digits=14, decimal_places=2, min_value=Decimal(0), required=False, allow_null=True
    )
    url = WebAddressField(max_length=500, required=False, allow_blank=True)
    names = JSONObjectField(required=False, help_text='Names by language, as {"zh": "帐篷"}.')
    currency = CurrencyField(required=False, allow_blank=True)

    class Meta:
        model = Product
        fields = (
            "id", "sku", "name", "names", "category", "brand", "price", "currency", "stock", "url", "is_charge",
            "version", "updated_at",
        )  # fmt: skip
        read_only_fields = ("version", "updated_at")


class ProductWrites(KeyedView):
    """What list, item and bulk of products share."""

    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    key_fields = ("sku",)

    def write(self, items: Sequence[Mapping[str, Any]]) -> UpsertCounts:
        return write_groups(items, PRODUCTS, upsert_products)


@extend_schema_view(post=extend_schema(responses={200: ProductSerializer, 201: ProductSerializer}))
class ProductList(ProductWrites, KeyedListView):
    filterset_fields = ("category", "brand", "is_charge")


@extend_schema_view(put=extend_schema(responses={200: ProductSerializer, 201: ProductSerializer}))
class ProductItem(ProductWrites, KeyedItemView):
    pass


class ProductBulk(ProductWrites, KeyedBulkView):
    @extend_schema(request=ProductSerializer(many=True), responses=CountsSerializer)
    def post(self, request: Request) -> Response:
        return super().post(request)
