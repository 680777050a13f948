"""The app that holds the one door to language models."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LlmConfig(AppConfig):
    """Client, masking, budget, ledger and prompt registry."""

    name = "llm"
    verbose_name = _("Language models")
