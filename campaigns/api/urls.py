"""Addresses of the API over campaigns."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from .views import CampaignViewSet, VariantViewSet

router = SimpleRouter()
router.register("campaigns", CampaignViewSet, basename="api-campaign")
router.register("variants", VariantViewSet, basename="api-variant")
urlpatterns = router.urls
