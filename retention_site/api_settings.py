"""How the REST API and its description behave: what the settings give to REST framework and to drf-spectacular."""

from __future__ import annotations

from typing import Any, Final

API: Final[dict[str, Any]] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "customers.api.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["customers.api.permissions.HasModelRight"],
    "DEFAULT_THROTTLE_CLASSES": ["customers.api.throttling.PerMinute"],
    "DEFAULT_PAGINATION_CLASS": "customers.api.pagination.KeyPagination",
    "PAGE_SIZE": 50,
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["customers.api.parsers.StrictJSONParser"],
    "EXCEPTION_HANDLER": "retention_site.api.handle_exception",
    "DEFAULT_VERSIONING_CLASS": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
API_DESCRIPTION: Final[dict[str, Any]] = {
    "TITLE": "Rekindle API",
    "VERSION": "1",
    "DESCRIPTION": "Customers, orders, events, segments and campaigns: reading, creating, and the same states as the pages.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "customers.api.schema.add_problems"],
    "ENUM_NAME_OVERRIDES": {
        "EventKindEnum": "customers.models.EventKind",
        "ChannelEnum": "customers.models.Channel",
        "TicketChannelEnum": "support.models.TicketChannel",
        "TicketStatusEnum": "support.models.TicketStatus",
        "TicketTopicEnum": "support.models.Topic",
        "TicketIntentEnum": "support.models.Intent",
        "PrivacyKindEnum": "customers.models.PrivacyRequest.Kind",
        "PrivacyStatusEnum": "customers.models.PrivacyRequest.Status",
        "WebHookStatusEnum": "customers.models.OutgoingEndpoint.Status",
        "WebHookDeliveryStatusEnum": "customers.models.OutgoingDelivery.Status",
    },
}
