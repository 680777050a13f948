"""The knowledge base: articles with every version of theirs, in both languages."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Article(models.Model):
    """One thing that the shop tells its customers. Key: number. What it says is its newest version."""

    number = models.PositiveIntegerField(_("number"), unique=True)
    is_published = models.BooleanField(_("answers may quote it"), default=True, db_default=True)
    current = models.ForeignKey("ArticleVersion", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    #: The ideas of the newest version (`answers.words`), so that PostgreSQL's full text finds Chinese and English alike.
    search = SearchVectorField(null=True, editable=False)

    class Meta:
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        ordering = ["number"]
        indexes = [GinIndex(fields=["search"], name="article_search")]

    def __str__(self) -> str:
        return f"{self.number}. {self.title}" if self.current else str(self.number)

    @property
    def title(self) -> str:
        """In the language of whoever reads, where it has one in it."""
        if self.current is None:
            return ""
        english, chinese = self.current.title_en, self.current.title_zh
        return chinese or english if (get_language() or "").startswith("zh") else english or chinese


class ArticleVersion(models.Model):
    """One version. Key: (article, number). It never changes: an answer names the version that it quotes."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    title_en = models.CharField(_("title, English"), max_length=160, blank=True, default="")
    title_zh = models.CharField(_("title, Chinese"), max_length=160, blank=True, default="")
    text_en = models.TextField(_("text, English"), blank=True, default="")
    text_zh = models.TextField(_("text, Chinese"), blank=True, default="")
    note = models.CharField(_("what changed"), max_length=300, blank=True, default="")
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    saved_at = models.DateTimeField()

    class Meta:
        verbose_name = _("version of an article")
        verbose_name_plural = _("versions of articles")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["article", "number"], name="articleversion_key")]

    def __str__(self) -> str:
        return f"v{self.number}"
