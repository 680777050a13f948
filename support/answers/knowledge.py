"""The shop's own knowledge base: saving versions, and making it ready for questions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from customers.models import AuditAction, record_audit
from support.models import Answer, Article, ArticleVersion, TicketConflict

from .articles import SourceArticle, make_article
from .embeddings import find_embedder
from .ranking import Base
from .words import find_ideas

FIELDS: Final = ("title_en", "title_zh", "text_en", "text_zh")
LONGEST_TEXT: Final = 20_000
#: Up to so many articles all are compared; beyond it PostgreSQL chooses that many by full text first.
MOST_COMPARED: Final = 400


def save_article(
    user: User | None,
    texts: Mapping[str, str],
    *,
    now: dt.datetime,
    article: Article | None = None,
    base: int = 0,
    note: str = "",
) -> ArticleVersion:
    """A new article, or the next version of one; `base` is the number of the version that was edited.

    Saving what stands already changes nothing. What no article answered is looked up again (`pending.look_again`). Raises
    ValidationError for an article without a text or a title, TicketConflict where somebody saved another version meanwhile.
    """
    cleaned = _clean(texts)
    with transaction.atomic():
        kept = (
            Article.objects.select_for_update(of=("self",)).select_related("current").get(pk=article.pk)
            if article
            else _make_article()
        )
        newest = kept.current
        if article is not None and newest is not None:
            if newest.number != base:
                raise TicketConflict(
                    _("Somebody else has saved version %(n)s meanwhile. Reload the page and look again.")
                    % {"n": newest.number}
                )
            if all(getattr(newest, name) == cleaned[name] for name in FIELDS):
                return newest
        version = ArticleVersion.objects.create(
            article=kept,
            number=newest.number + 1 if newest else 1,
            note=note[:300],
            saved_by=user,
            saved_at=now,
            **cleaned,
        )
        Article.objects.filter(pk=kept.pk).update(current=version)
        _index(kept.pk, cleaned)
        Answer.objects.mark_stale(kept.number, now=now)
        record_audit(AuditAction.ARTICLE_SAVED, actor=user, about=("article", kept.number), version=version.number)
    return version


def publish_article(user: User, article: Article, *, is_published: bool, now: dt.datetime) -> None:
    """Whether answers may quote it."""
    with transaction.atomic():
        if Article.objects.filter(pk=article.pk, is_published=not is_published).update(is_published=is_published):
            Answer.objects.mark_stale(article.number, now=now)
            record_audit(
                AuditAction.ARTICLE_SAVED, actor=user, about=("article", article.number), published=is_published
            )


def load_base(question: str = "") -> Base:
    """The published articles, ready for questions; kept in the process until one of them changes."""
    published = Article.objects.filter(is_published=True).order_by("pk")
    stamp = tuple(published.values_list("current_id", flat=True)[: MOST_COMPARED + 1])
    if len(stamp) > MOST_COMPARED:
        return Base([_as_source(article) for article in _choose(question)], find_embedder())
    return _cached_base(stamp, connection.settings_dict["NAME"])


@lru_cache(maxsize=2)
def _cached_base(_stamp: tuple[int | None, ...], _database: str) -> Base:
    articles = (
        Article.objects.filter(is_published=True, current__isnull=False).select_related("current").order_by("number")
    )
    return Base([_as_source(article) for article in articles], find_embedder())


def _choose(question: str) -> Iterable[Article]:
    """By PostgreSQL's full text over the same ideas, any of them. A cast, not to_tsquery: that would take ideas apart."""
    lexemes = list(dict.fromkeys(key for idea in find_ideas(question) for key in idea.answered_by))
    if not lexemes:
        return []
    _index_missing()
    query = " | ".join(map(_quote, lexemes))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM support_article WHERE is_published AND current_id IS NOT NULL AND search @@ %(query)s::tsquery"
            " ORDER BY ts_rank(search, %(query)s::tsquery) DESC, number LIMIT %(most)s",
            {"query": query, "most": MOST_COMPARED},
        )
        keys = [key for (key,) in cursor.fetchall()]
    return Article.objects.filter(pk__in=keys).select_related("current").order_by("number")


def _as_source(article: Article) -> SourceArticle:
    version = article.current
    assert version is not None
    title = " / ".join(title for title in (version.title_en, version.title_zh) if title)
    return make_article(str(article.number), title, (version.text_en, version.text_zh), version=version.number)


def _clean(texts: Mapping[str, str]) -> dict[str, str]:
    cleaned = {name: str(texts.get(name, "")).replace("\x00", "").replace("\r\n", "\n").strip() for name in FIELDS}
    errors = []
    if not cleaned["text_en"] and not cleaned["text_zh"]:
        errors.append(_("Write what the article says, in one language at least."))
    for language, label in (("en", _("English")), ("zh", _("Chinese"))):
        if cleaned[f"text_{language}"] and not cleaned[f"title_{language}"]:
            errors.append(_("Give the %(language)s text a title.") % {"language": label})
        if len(cleaned[f"text_{language}"]) > LONGEST_TEXT or len(cleaned[f"title_{language}"]) > 160:
            errors.append(_("The %(language)s text or title is too long.") % {"language": label})
    if errors:
        raise ValidationError(errors)
    return cleaned


def _make_article() -> Article:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('support_article_number'))")
    newest = Article.objects.aggregate(newest=Max("number"))["newest"] or 0
    return Article.objects.create(number=newest + 1)


def _index_missing() -> None:
    """Articles whose ideas were forgotten, because words are cut in another way since they were saved."""
    for pk in list(Article.objects.filter(search=None, current__isnull=False).values_list("pk", flat=True)):
        with transaction.atomic():  # who saves it meanwhile waits, and indexes the newer text
            rows = Article.objects.select_for_update(of=("self",)).select_related("current")
            article = rows.filter(pk=pk, search=None).first()
            if article is not None:
                _index(pk, {name: getattr(article.current, name) for name in FIELDS})


def _index(pk: int, texts: Mapping[str, str]) -> None:
    lexemes = sorted({key for name in FIELDS for idea in find_ideas(texts[name]) for key in idea.spoken})
    with connection.cursor() as cursor:
        cursor.execute("UPDATE support_article SET search = array_to_tsvector(%s::text[]) WHERE id = %s", [lexemes, pk])


def _quote(lexeme: str) -> str:
    escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
