"""Addresses of the API over campaigns."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from .consents import ConsentList
from .delivery_events import DeliveryEventViewSet
from .epoch import SendingEpochView
from .limits import CapView, CountryRulesView, CountryRuleView, LimitsView, PaceView, WarmUpView
from .own_data import PrivacyRequestList
from .reports import CampaignReportView, CostReportView, FairnessReportView, LiftReportView, RetentionReportView
from .reviewing import ThreadViewSet
from .sequence import StepPlaceView, StepsView, StepView
from .staged import StagedChangeViewSet
from .texts import ArchetypeViewSet, VariantViewSet
from .views import CampaignViewSet
from .voice import BrandVoiceVersionViewSet, BrandVoiceView, PoliciesVersionViewSet, PoliciesView

router = SimpleRouter()
router.register("campaigns", CampaignViewSet, basename="api-campaign")
router.register("archetypes", ArchetypeViewSet, basename="api-archetype")
router.register("delivery-events", DeliveryEventViewSet, basename="api-delivery-event")
router.register("variants", VariantViewSet, basename="api-variant")
router.register("review-comments", ThreadViewSet, basename="api-review-comment")
router.register("staged-changes", StagedChangeViewSet, basename="api-staged-change")
router.register("brand-voice/versions", BrandVoiceVersionViewSet, basename="api-brand-voice-version")
router.register("policies/versions", PoliciesVersionViewSet, basename="api-policies-version")
urlpatterns = [
    path("brand-voice/", BrandVoiceView.as_view(), name="api-brand-voice"),
    path("consents/", ConsentList.as_view(), name="api-consents"),
    path("sending-epoch/", SendingEpochView.as_view(), name="api-sending-epoch"),
    path("limits/", LimitsView.as_view(), name="api-limits"),
    path("limits/paces/<slug:scope>/<str:name>/", PaceView.as_view(), name="api-pace"),
    path("limits/caps/<slug:channel>/", CapView.as_view(), name="api-cap"),
    path("limits/warm-up/", WarmUpView.as_view(), name="api-warm-up"),
    path("country-rules/", CountryRulesView.as_view(), name="api-country-rules"),
    path("country-rules/<slug:country>/", CountryRuleView.as_view(), name="api-country-rule"),
    path("privacy/requests/", PrivacyRequestList.as_view(), name="api-privacy-requests"),
    path("reports/retention/", RetentionReportView.as_view(), name="api-report-retention"),
    path("reports/lift/", LiftReportView.as_view(), name="api-report-lift"),
    path("reports/cost/", CostReportView.as_view(), name="api-report-cost"),
    path("reports/fairness/", FairnessReportView.as_view(), name="api-report-fairness"),
    path("reports/campaigns/<int:pk>/", CampaignReportView.as_view(), name="api-report-campaign"),
    path("policies/", PoliciesView.as_view(), name="api-policies"),
    path("campaigns/<int:pk>/steps/", StepsView.as_view(), name="api-steps"),
    path("campaigns/<int:pk>/steps/<int:number>/", StepView.as_view(), name="api-step"),
    path("campaigns/<int:pk>/steps/<int:number>/place/", StepPlaceView.as_view(), name="api-step-place"),
    *router.urls,
]
