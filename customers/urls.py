"""Addresses of the pages about customers."""

from __future__ import annotations

from django.urls import path

from customers.views import (
    attention,
    card,
    change,
    fairness,
    imports,
    interests,
    people,
    predictions,
    privacy,
    replay,
    retention,
    segments,
    shop_hooks,
    suppressions,
)
from customers.views.integrations import endpoints, refused

app_name = "customers"
urlpatterns = [
    path("customers/", people.list_customers, name="list"),
    path("customers/<int:pk>/", people.show_customer, name="detail"),
    path("customers/<int:pk>/attention/", attention.show_attention, name="attention"),
    path("customers/<int:pk>/change/", change.show_change, name="change"),
    path("settings/text-reading/", interests.switch_text_reading, name="text-reading"),
    path("customers/<int:pk>/export/", privacy.export_person, name="export-person"),
    path("customers/<int:pk>/erase/", privacy.erase_person, name="erase-person"),
    path("privacy/", privacy.show_privacy, name="privacy"),
    path("privacy/<int:pk>/refuse/", privacy.refuse_request, name="refuse-request"),
    path("suppressed/", suppressions.show_suppressions, name="suppressions"),
    path("suppressed/add/", suppressions.add_suppressions, name="suppressions-add"),
    path("suppressed/list.csv", suppressions.download_suppressions, name="suppressions-file"),
    path("suppressed/<str:kind>/<int:pk>/removal/", suppressions.remove_suppression, name="suppression-removal"),
    path("segments/", segments.list_segments, name="segments"),
    path("segments/new/", segments.create_segment, name="segment-new"),
    path("segments/preview/", segments.preview_segment, name="segment-preview"),
    path("segments/<int:pk>/", segments.show_segment, name="segment"),
    path("imports/", imports.list_imports, name="imports"),
    path("imports/new/", imports.create_import, name="import-new"),
    path("imports/<int:pk>/", imports.show_import, name="import"),
    path("imports/<int:pk>/columns/", imports.choose_columns, name="import-columns"),
    path("imports/<int:pk>/left-out/", imports.download_rejections, name="import-rejections"),
    path("hooks/shops/<str:token>/", shop_hooks.take_shop_hook, name="shop-hook"),
    path("settings/integrations/refused/", refused.show_refused, name="refused"),
    path("settings/integrations/web-hooks/", endpoints.create_endpoint, name="endpoint-new"),
    path("settings/integrations/web-hooks/<int:pk>/", endpoints.show_endpoint, name="endpoint"),
    path("settings/integrations/web-hooks/<int:pk>/events/", endpoints.change_kinds, name="endpoint-kinds"),
    path("settings/integrations/web-hooks/<int:pk>/secret/", endpoints.change_secret, name="endpoint-secret"),
    path("settings/integrations/web-hooks/<int:pk>/switch/", endpoints.switch_endpoint, name="endpoint-switch"),
    path("settings/integrations/web-hooks/<int:pk>/test/", endpoints.try_endpoint, name="endpoint-test"),
    path("settings/integrations/deliveries/<int:pk>/retry/", endpoints.retry_delivery, name="delivery-retry"),
    path("retention/", retention.show_retention, name="retention"),
    path("retention/<slug:figure>.csv", retention.download_figures, name="retention-file"),
    path("predictions/", predictions.show_predictions, name="predictions"),
    path("predictions/training/", predictions.request_training, name="training"),
    path("predictions/card/<int:version>/", card.show_card, name="model-card"),
    path("predictions/card/<int:version>.json", card.download_card, name="model-card-file"),
    path("predictions/replay/", replay.show_replay, name="replay"),
    path("predictions/replay/requests/", replay.request_replay, name="replay-requests"),
    path("predictions/sensitive-attributes/", fairness.mark_sensitive, name="sensitive-attributes"),
]
