"""The ledger and what is known of the servers, to be read. Nobody adds to a ledger by hand, or takes from it."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import URLField
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminURLInputWidget

from llm.models import LlmBatch, LlmCall, LlmPastSpend, LlmServerHealth, LlmServerMode

#: An address without a scheme is one of https, as everywhere else. Django 5.2 warns where nobody says so.
HTTPS_URLS = {URLField: {"widget": UnfoldAdminURLInputWidget, "assume_scheme": "https"}}


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """Shows rows to those who may view them."""

    formfield_overrides: ClassVar[Any] = HTTPS_URLS

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(TabularInline):  # type: ignore[misc]
    """Shows the rows that belong to another."""

    extra = 0
    can_delete = False
    formfield_overrides: ClassVar[Any] = HTTPS_URLS

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(LlmCall)
class LlmCallAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at", "purpose", "scope", "outcome", "was_reused", "model", "mode", "attempt", "reserved_tokens",
        "latency_ms",
    )  # fmt: skip
    list_filter = ("outcome", "purpose", "was_reused", "mode", "model")
    search_fields = ("=request_id", "=completion_id", "prompt_name", "=scope")
    date_hierarchy = "created_at"


@admin.register(LlmServerMode)
class LlmServerModeAdmin(ReadOnlyAdmin):
    """Deleting a row is allowed: the server is then tried from the top of the ladder again."""

    list_display: tuple[str, ...] = ("model", "address", "mode", "confirmed_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super(ReadOnlyAdmin, self).has_delete_permission(request, obj))


@admin.register(LlmServerHealth)
class LlmServerHealthAdmin(LlmServerModeAdmin):
    """Deleting a row closes the circuit breaker and forgets what the server was seen to use beyond its estimates."""

    list_display = ("model", "address", "failures", "opened_at", "retry_at", "overrun", "no_batches_since")


@admin.register(LlmBatch)
class LlmBatchAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "model", "status", "requests", "remote_id", "ended_at")
    list_filter = ("status", "model")


@admin.register(LlmPastSpend)
class LlmPastSpendAdmin(ReadOnlyAdmin):
    list_display = ("on", "scope", "calls", "tokens", "cost")
    date_hierarchy = "on"
