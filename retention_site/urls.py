"""All addresses: pages, the API, the admin, and what machines ask."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from retention_site import audit_page, health, home, model_settings, search, shop_settings
from retention_site.accounts import ShopLoginView
from retention_site.integrations import keys, overview

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.show_home, name="home"),
    path("search/", search.find, name="search"),
    path("settings/", shop_settings.show_settings, name="settings"),
    path("settings/audit/", audit_page.show_audit, name="audit"),
    path("settings/audit.csv", audit_page.download_audit, name="audit-file"),
    path("settings/model/", model_settings.show_model, name="model-settings"),
    path("settings/model-check/", model_settings.check_model, name="check-model"),
    path("settings/integrations/", overview.show_integrations, name="integrations"),
    path("settings/integrations/keys/", keys.create_key, name="key-new"),
    path("settings/integrations/keys/<int:pk>/end/", keys.revoke_key, name="key-end"),
    path("settings/four-eyes/", shop_settings.set_four_eyes, name="four-eyes"),
    path("", include("customers.urls")),
    path("", include("campaigns.urls")),
    path("", include("support.urls")),
    path("login/", ShopLoginView.as_view(), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("password/", auth_views.PasswordChangeView.as_view(), name="password_change"),
    path("password/changed/", auth_views.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("password/reset/", auth_views.PasswordResetView.as_view(), name="password_reset"),
    path("password/reset/sent/", auth_views.PasswordResetDoneView.as_view(), name="password_reset_done"),
    path(
        "password/reset/<uidb64>/<token>/",
        auth_views.PasswordResetConfirmView.as_view(),
        name="password_reset_confirm",
    ),
    path("password/reset/done/", auth_views.PasswordResetCompleteView.as_view(), name="password_reset_complete"),
    path("language/", login_not_required(set_language), name="set_language"),
    path("api/v1/", include("retention_site.api")),
    path("v1/", include("customers.api.tracking.urls")),
    path("admin/", admin.site.urls),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
]

if settings.DEBUG:
    from retention_site.styleguide import show_preview, show_styleguide

    urlpatterns += [
        path("styleguide/", show_styleguide, name="styleguide"),
        path("styleguide/preview/", show_preview, name="styleguide_preview"),
    ]

handler404 = "retention_site.api.say_not_found"
