"""Addresses of the campaign pages. A change of state is a noun to POST to."""

from __future__ import annotations

from django.urls import path

from campaigns.views import (
    decision_cards,
    decisions,
    drafts,
    editor,
    listing,
    outbox,
    previews,
    shaping,
    steps,
    texts,
    unsubscribe,
)

app_name = "campaigns"
urlpatterns = [
    path("campaigns/", listing.list_campaigns, name="list"),
    path("campaigns/new/", listing.create_campaign, name="new"),
    path("campaigns/<int:pk>/", listing.show_campaign, name="detail"),
    path("campaigns/<int:pk>/goal/", steps.show_goal, name="goal"),
    path("campaigns/<int:pk>/audience/", steps.show_audience, name="audience"),
    path("campaigns/<int:pk>/audience/freeze/", steps.freeze_audience, name="freeze"),
    path("campaigns/<int:pk>/archetypes/merger/", shaping.merge, name="archetype-merger"),
    path("campaigns/<int:pk>/archetypes/split/", shaping.split, name="archetype-split"),
    path("campaigns/<int:pk>/archetypes/removal/", shaping.take_out, name="archetype-removal"),
    path("campaigns/<int:pk>/messages/", drafts.show_messages, name="messages"),
    path("campaigns/<int:pk>/drafts/", drafts.ask_for_drafts, name="drafts"),
    path("campaigns/<int:pk>/drafts/removal/", drafts.stop_drafts, name="stop-drafts"),
    path("campaigns/<int:pk>/timing/", steps.show_timing, name="timing"),
    path("campaigns/<int:pk>/review/", decisions.show_review, name="review-campaign"),
    path("campaigns/<int:pk>/live/", decisions.show_live, name="live"),
    path("campaigns/<int:pk>/result/", decisions.show_result, name="result"),
    path("campaigns/<int:pk>/submission/", decisions.submit, name="submission"),
    path("campaigns/<int:pk>/approval/", decisions.approve, name="approval"),
    path("campaigns/<int:pk>/changes/", decisions.ask_for_changes, name="changes"),
    path("campaigns/<int:pk>/schedule/", decisions.schedule, name="schedule"),
    path("campaigns/<int:pk>/schedule/removal/", decisions.unschedule, name="unschedule"),
    path("campaigns/<int:pk>/pause/", decisions.pause, name="pause"),
    path("campaigns/<int:pk>/resumption/", decisions.resume, name="resumption"),
    path("campaigns/<int:pk>/cancellation/", decisions.confirm_cancellation, name="cancellation"),
    path("variants/<int:pk>/", editor.show_variant, name="variant"),
    path("variants/<int:pk>/preview/", previews.show_preview, name="variant-preview"),
    path("variants/<int:pk>/draft/", texts.redraft_text, name="redraft"),
    path("variants/<int:pk>/translation/", texts.translate_text, name="translate"),
    path("variants/<int:pk>/removal/", texts.remove_one, name="remove-text"),
    path("archetypes/<int:pk>/texts/", texts.add_text, name="add-text"),
    path("variants/<int:pk>/model-call/", texts.show_model_call, name="model-call"),
    path("variants/<int:pk>/decision/", decision_cards.show_draft_decision, name="variant-decision"),
    path("review/", listing.show_review_queue, name="review"),
    path("outbox/", outbox.list_messages, name="outbox"),
    path("outbox/<int:pk>/", outbox.show_message, name="outbox-message"),
    path("outbox/<int:pk>/body/", outbox.show_body, name="outbox-body"),
    path("outbox/<int:pk>/decision/", decision_cards.show_message_decision, name="message-decision"),
    path("u/<str:token>/", unsubscribe.show_unsubscribe, name="unsubscribe"),
]
