"""Addresses of the API over support."""

from __future__ import annotations

from django.urls import path

from .tickets import ArticleList, TicketItem, TicketList

urlpatterns = [
    path("tickets/", TicketList.as_view(), name="api-tickets"),
    path("tickets/<int:pk>/", TicketItem.as_view(), name="api-ticket"),
    path("articles/", ArticleList.as_view(), name="api-articles"),
]
