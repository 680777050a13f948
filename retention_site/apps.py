from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RetentionSiteConfig(AppConfig):
    name = "retention_site"
    verbose_name = _("Rekindle")

    def ready(self) -> None:
        from .roles import sync_roles

        # Django makes the permissions after migrating, so the groups that hold them can only be made then.
        post_migrate.connect(sync_roles, sender=self, dispatch_uid="retention_site.sync_roles")
