"""Addresses of Segment's verbs."""

from __future__ import annotations

from django.urls import path

from .calls import VERBS
from .views import TrackingView

urlpatterns = [path(verb, TrackingView.as_view(verb=verb), name=f"track-{verb}") for verb in (*VERBS, "batch")]
