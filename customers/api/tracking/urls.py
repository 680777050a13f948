"""Addresses of Segment's verbs."""

from __future__ import annotations

from django.urls import path

from .calls import VERBS
from .views import TrackingView

#: Java's client posts its batches to `import/`.
ADDRESSES = {**{verb: verb for verb in (*VERBS, "batch")}, "import": "batch"}
urlpatterns = [
    path(f"{address}{end}", TrackingView.as_view(verb=verb), name=f"track-{address}{'-slash' if end else ''}")
    for address, verb in ADDRESSES.items()
    for end in ("", "/")
]
