from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = _("Campaigns")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Rules of segments name campaigns by number; here they learn what those are called, and which of them need a segment.
        Lists of consents learn which consents have lapsed."""
        from campaigns.audience.lapsing import lapse_before_list
        from campaigns.audience.names import list_newest, name_campaigns
        from campaigns.audience.uses import list_campaigns_of
        from customers.ingest.lapses import tell_lapses
        from customers.segments.archiving import tell_uses
        from customers.segments.names import tell_campaign_names

        tell_campaign_names(name_campaigns, list_newest)
        tell_uses(list_campaigns_of)
        tell_lapses(lapse_before_list)
