"""Addresses of the API over campaigns."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from .texts import ArchetypeViewSet, VariantViewSet
from .views import CampaignViewSet

router = SimpleRouter()
router.register("campaigns", CampaignViewSet, basename="api-campaign")
router.register("archetypes", ArchetypeViewSet, basename="api-archetype")
router.register("variants", VariantViewSet, basename="api-variant")
urlpatterns = router.urls
