"""Addresses of the pages about support."""

from __future__ import annotations

from django.urls import path

from support.views import (
    answering,
    articles,
    attachments,
    automatic,
    canned,
    contact,
    conversation,
    mail_hook,
    mailbox,
    person,
    quality,
    queue,
    rating,
)

app_name = "support"
urlpatterns = [
    path("support/", queue.show_queue, name="queue"),
    path("support/tickets/<int:pk>/", conversation.show_ticket, name="ticket"),
    path("support/tickets/<int:pk>/presence/", conversation.show_presence, name="presence"),
    path("support/tickets/<int:pk>/answers/", answering.answer_ticket, name="answers"),
    path("support/tickets/<int:pk>/suggestion/", conversation.make_suggestion, name="suggestion"),
    path("support/tickets/<int:pk>/suggestion/discarding/", conversation.discard, name="discarding"),
    path("support/tickets/<int:pk>/notes/", conversation.add_note, name="notes"),
    path("support/tickets/<int:pk>/assignment/", conversation.assign, name="assignment"),
    path("support/tickets/<int:pk>/tags/", conversation.set_tags, name="tags"),
    path("support/tickets/<int:pk>/escalation/", conversation.escalate, name="escalation"),
    path("support/tickets/<int:pk>/closing/", conversation.close, name="closing"),
    path("support/tickets/<int:pk>/reopening/", conversation.reopen, name="reopening"),
    path("support/tickets/<int:pk>/customer/", conversation.tie, name="customer"),
    path("support/tickets/<int:pk>/corrections/", conversation.correct, name="corrections"),
    path("support/tickets/<int:pk>/check/", automatic.check, name="check"),
    path("support/tickets/<int:pk>/people-only/", automatic.note_people_only, name="people-only"),
    path("support/canned/", canned.list_canned, name="canned-list"),
    path("support/canned/new/", canned.edit_canned, name="canned-new"),
    path("support/canned/<int:pk>/", canned.edit_canned, name="canned"),
    path("support/canned/<int:pk>/removal/", canned.remove, name="canned-removal"),
    path("support/automatic/", automatic.show_automatic, name="automatic"),
    path("support/automatic/stop/", automatic.stop, name="automatic-stop"),
    path("support/automatic/resumption/", automatic.resume, name="automatic-resumption"),
    path("support/automatic/<slug:intent>/", automatic.edit_category, name="automatic-category"),
    path("support/automatic/<slug:intent>/off/", automatic.switch_off, name="automatic-off"),
    path("articles/", articles.list_articles, name="articles"),
    path("articles/new/", articles.edit_article, name="article-new"),
    path("articles/gaps/", articles.show_gaps, name="gaps"),
    path("articles/gaps/draft/", articles.draft_for_gap, name="gap-draft"),
    path("articles/<int:number>/", articles.edit_article, name="article"),
    path("articles/<int:number>/publication/", articles.publish, name="publication"),
    path("answer-quality/", quality.show_quality, name="quality"),
    path("support/attachments/<int:pk>/", attachments.download, name="attachment"),
    path("settings/mailbox/", mailbox.show_mailbox, name="mailbox"),
    path("hooks/inbound/", mail_hook.take_mail, name="mail-hook"),
    path("contact/", contact.show_contact, name="contact"),
    path("rating/<str:token>/", rating.show_rating, name="rating"),
    path("contact/person/<str:token>/", person.show_person, name="person"),
]
