"""Addresses of the API over customers."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from .archiving import SegmentArchival, SegmentRestoration
from .audit import AuditList
from .batch.views import BatchView
from .customers import CustomerBulk, CustomerItem, CustomerList
from .events import EventList
from .imports import ImportCancellation, ImportItem, ImportList, ImportResumption
from .insights import CohortInsights, IntervalInsights, RfmInsights, ValueInsights
from .membership import SegmentChanges, SegmentMembers, SegmentSizes
from .merges import MergeList, MergeUndo
from .orders import OrderBulk, OrderItem, OrderList
from .privacy import AddressErasure, AddressExport, PersonErasure, PersonExport, PersonObjection
from .products import ProductBulk, ProductItem, ProductList
from .proposals import RuleProposal
from .retention import Retention
from .segments import RuleCount, SegmentCount, SegmentItem, SegmentList
from .shops import ShopConnectionItem, ShopConnectionList
from .web_hooks.deliveries import DeliveryItem, DeliveryList, DeliveryRetry
from .web_hooks.endpoints import (
    WebHookActivation,
    WebHookDeactivation,
    WebHookItem,
    WebHookList,
    WebHookSecret,
    WebHookTest,
)

# Ids of a shop may hold a slash, so the last part takes the rest of the address.
urlpatterns: list[URLPattern | URLResolver] = [
    path("batch", BatchView.as_view(), name="api-batch"),
    path("batch/", BatchView.as_view(schema=None)),
    path("audit/", AuditList.as_view(), name="api-audit"),
    path("customers/", CustomerList.as_view(), name="api-customers"),
    path("customers/bulk/", CustomerBulk.as_view(), name="api-customers-bulk"),
    path("customers/<slug:source>/<path:external_id>/", CustomerItem.as_view(), name="api-customer"),
    path("products/", ProductList.as_view(), name="api-products"),
    path("products/bulk/", ProductBulk.as_view(), name="api-products-bulk"),
    path("products/<path:sku>/", ProductItem.as_view(), name="api-product"),
    path("orders/", OrderList.as_view(), name="api-orders"),
    path("orders/bulk/", OrderBulk.as_view(), name="api-orders-bulk"),
    path("orders/<slug:source>/<path:external_id>/", OrderItem.as_view(), name="api-order"),
    path("events/", EventList.as_view(), name="api-events"),
    path("imports/", ImportList.as_view(), name="api-imports"),
    path("imports/<int:pk>/", ImportItem.as_view(), name="api-import"),
    path("imports/<int:pk>/cancellation/", ImportCancellation.as_view(), name="api-import-cancellation"),
    path("imports/<int:pk>/resumption/", ImportResumption.as_view(), name="api-import-resumption"),
    path("merges/", MergeList.as_view(), name="api-merges"),
    path("merges/<int:pk>/undo/", MergeUndo.as_view(), name="api-merge-undo"),
    path("privacy/export/", PersonExport.as_view(), name="api-person-export"),
    path("privacy/address/export/", AddressExport.as_view(), name="api-address-export"),
    path("privacy/address/erase/", AddressErasure.as_view(), name="api-address-erase"),
    path("privacy/erase/", PersonErasure.as_view(), name="api-person-erase"),
    path("privacy/objection/", PersonObjection.as_view(), name="api-person-objection"),
    path("privacy/retention/", Retention.as_view(), name="api-retention"),
    path("shops/", ShopConnectionList.as_view(), name="api-shops"),
    path("shops/<int:pk>/", ShopConnectionItem.as_view(), name="api-shop"),
    path("segments/", SegmentList.as_view(), name="api-segments"),
    path("segments/count/", RuleCount.as_view(), name="api-segments-count"),
    path("segments/proposal/", RuleProposal.as_view(), name="api-segments-proposal"),
    path("segments/<int:pk>/", SegmentItem.as_view(), name="api-segment"),
    path("segments/<int:pk>/archival/", SegmentArchival.as_view(), name="api-segment-archival"),
    path("segments/<int:pk>/restoration/", SegmentRestoration.as_view(), name="api-segment-restoration"),
    path("segments/<int:pk>/count/", SegmentCount.as_view(), name="api-segment-count"),
    path("segments/<int:segment>/members/", SegmentMembers.as_view(), name="api-segment-members"),
    path("segments/<int:segment>/changes/", SegmentChanges.as_view(), name="api-segment-changes"),
    path("segments/<int:segment>/sizes/", SegmentSizes.as_view(), name="api-segment-sizes"),
    path("web-hooks/", WebHookList.as_view(), name="api-web-hooks"),
    path("web-hooks/<int:pk>/", WebHookItem.as_view(), name="api-web-hook"),
    path("web-hooks/<int:pk>/activation/", WebHookActivation.as_view(), name="api-web-hook-activation"),
    path("web-hooks/<int:pk>/deactivation/", WebHookDeactivation.as_view(), name="api-web-hook-deactivation"),
    path("web-hooks/<int:pk>/secret/", WebHookSecret.as_view(), name="api-web-hook-secret"),
    path("web-hooks/<int:pk>/test/", WebHookTest.as_view(), name="api-web-hook-test"),
    path("web-hooks/<int:pk>/deliveries/", DeliveryList.as_view(), name="api-web-hook-deliveries"),
    path("web-hook-deliveries/<int:pk>/", DeliveryItem.as_view(), name="api-web-hook-delivery"),
    path("web-hook-deliveries/<int:pk>/retry/", DeliveryRetry.as_view(), name="api-web-hook-delivery-retry"),
    path("insights/cohorts/", CohortInsights.as_view(), name="api-insights-cohorts"),
    path("insights/intervals/", IntervalInsights.as_view(), name="api-insights-intervals"),
    path("insights/rfm/", RfmInsights.as_view(), name="api-insights-rfm"),
    path("insights/value/", ValueInsights.as_view(), name="api-insights-value"),
]
