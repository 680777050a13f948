from django.apps import AppConfig, apps
from django.core import checks
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RetentionSiteConfig(AppConfig):
    name = "retention_site"
    verbose_name = _("Rekindle")

    def ready(self) -> None:
        # Tasks belong to our Celery application wherever Django runs. Not in the package itself: the supervisor and the
        # mail catcher are in it too, and need neither.
        from . import celery  # noqa: F401
        from .audit_people import connect_signals
        from .drafting_rights import check_drafting_role, grant_drafting_rights
        from .roles import sync_roles

        connect_signals()
        apps.get_app_config("auth").verbose_name = _("People and roles")
        # Django makes permissions after migrating, app by app in the order of INSTALLED_APPS: when the turn of `auth`
        # comes, those of our own apps are there. (An app without tables, as this one, is never told.)
        post_migrate.connect(sync_roles, sender=apps.get_app_config("auth"), dispatch_uid="retention_site.sync_roles")
        post_migrate.connect(
            grant_drafting_rights,
            sender=apps.get_app_config("auth"),
            dispatch_uid="retention_site.grant_drafting_rights",
        )
        checks.register(check_drafting_role, checks.Tags.database)
