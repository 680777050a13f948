"""The Django admin over customers. What has a workflow or an importer is read here, not written."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from customers.models import (
    ApiKey,
    AuditAction,
    AuditEntry,
    ConsentRecord,
    Customer,
    CustomerMerge,
    ImportRun,
    MergeSuggestion,
    ModelVersion,
    Order,
    OrderLine,
    Product,
    ReadingHour,
    Score,
    Segment,
    SegmentRevision,
    Suppression,
    record_audit,
)
from llm.admin import HTTPS_URLS, ReadOnlyAdmin


class ConsentInline(TabularInline):  # type: ignore[misc]
    model = ConsentRecord
    extra = 0
    can_delete = False
    fields = readonly_fields = ("channel", "status", "legal_basis", "source", "is_test", "recorded_at")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class OrderLineInline(TabularInline):  # type: ignore[misc]
    model = OrderLine
    extra = 0
    can_delete = False
    fields = readonly_fields = ("position", "product", "quantity", "unit_price")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Customer)
class CustomerAdmin(ModelAdmin):  # type: ignore[misc]
    """A person's master data may be corrected here; consent, orders and scores are read."""

    list_display = ("external_id", "first_name", "last_name", "email", "country", "language")
    list_filter = ("language", "source")
    search_fields = ("external_id", "email", "phone", "first_name", "last_name")
    readonly_fields = ("source", "external_id", "created_at", "updated_at")
    inlines = (ConsentInline,)
    show_full_result_count = False

    def save_model(self, request: HttpRequest, obj: Customer, form: ModelForm[Customer], change: bool) -> None:
        super().save_model(request, obj, form, change)
        about = ("customer", obj.pk)
        record_audit(AuditAction.CUSTOMER_EDITED, actor=request.user, about=about, fields=sorted(form.changed_data))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Product)
class ProductAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("sku", "name", "category", "brand", "price", "currency", "stock", "is_charge")
    list_filter = ("is_charge", "category")
    search_fields = ("sku", "name")
    formfield_overrides: ClassVar[Any] = HTTPS_URLS

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = ("external_id", "customer", "ordered_at", "total", "currency", "is_return")
    list_filter = ("is_return", "source")
    list_select_related = ("customer",)
    search_fields = ("external_id",)
    inlines = (OrderLineInline,)
    show_full_result_count = False


@admin.register(Score)
class ScoreAdmin(ReadOnlyAdmin):
    list_display = ("customer", "status", "churn_probability", "expected_value", "next_order_on", "as_of")
    list_filter = ("status",)
    list_select_related = ("customer",)
    show_full_result_count = False


@admin.register(ReadingHour)
class ReadingHourAdmin(ReadOnlyAdmin):
    list_display = ("customer", "hour", "opens", "weak", "as_of")
    list_filter = ("hour",)
    list_select_related = ("customer",)


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ("kind", "version", "estimator", "status", "beats_rule", "trained_at")
    exclude = ("artifact",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the estimator's bytes, which no page of the admin shows."""
        found: QuerySet[Any] = super().get_queryset(request)
        return found.defer("artifact")


class SegmentRevisionInline(TabularInline):  # type: ignore[misc]
    model = SegmentRevision
    extra = 0
    can_delete = False
    fields = readonly_fields = ("number", "rule", "saved_by", "saved_at")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Segment)
class SegmentAdmin(ReadOnlyAdmin):
    """Rules are written on their own page, which checks them and keeps a revision."""

    list_display = ("name", "number", "is_archived", "updated_at")
    inlines = (SegmentRevisionInline,)


@admin.register(ConsentRecord)
class ConsentRecordAdmin(ReadOnlyAdmin):
    list_display = ("customer", "channel", "status", "legal_basis", "source", "is_test", "recorded_at")
    list_filter = ("status", "legal_basis", "is_test")
    list_select_related = ("customer",)
    show_full_result_count = False


@admin.register(Suppression)
class SuppressionAdmin(ReadOnlyAdmin):
    list_display = ("channel", "reason", "source", "created_at")
    list_filter = ("reason",)


@admin.register(CustomerMerge)
class CustomerMergeAdmin(ReadOnlyAdmin):
    """Merging and undoing has pages of its own, which say what will hold; what a merge keeps for its undo is not shown."""

    list_display = ("id", "loser_id", "survivor_id", "reason", "merged_at", "undone_at")
    list_filter = ("reason",)
    exclude = ("kept", "rows")
    show_full_result_count = False


@admin.register(MergeSuggestion)
class MergeSuggestionAdmin(ReadOnlyAdmin):
    list_display = ("first", "second", "why", "is_verified", "status", "found_at")
    list_filter = ("status", "why", "is_verified")
    list_select_related = ("first", "second")
    show_full_result_count = False


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    list_display = ("file_name", "status", "requested_by", "created_at", "finished_at")
    list_filter = ("status",)
    exclude = ("stored_path", "mark")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys are made and ended under Settings; only a hash is kept."""

    list_display = ("name", "prefix", "user", "created_at", "last_used_at", "revoked_at")
    exclude = ("key_hash",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """To be read; the page Audit under Settings has the filters. PostgreSQL refuses every change."""

    list_display = ("number", "happened_at", "actor_id", "action_label", "object_kind", "object_id")
    search_fields = ("=object_id", "=action")
    ordering = ("-id",)
    show_full_result_count = False
